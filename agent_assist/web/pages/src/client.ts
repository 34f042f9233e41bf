// The gateway: the token, the API, and a live channel that comes again by itself.

import type { Action, Message } from "./types";

export type Connection = "connecting" | "open" | "retrying" | "refused" | "gone";

const KEY = "warmline.token";

/** The token from the address (#token=...), which is then taken out of it, or from this tab's memory. */
export function takeToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return given ?? sessionStorage.getItem(KEY) ?? "";
}

export interface Gateway {
  server: string;
  token: string;
}

export async function sendFeedback(gateway: Gateway, call: string, card: string, action: Action): Promise<void> {
  await ask(gateway, `${callPath(call)}/cards/${encodeURIComponent(card)}/feedback`, "POST", { action });
}

export interface LiveOptions {
  gateway: Gateway;
  /** What to ask for: called anew at each connection, so that it can resume. */
  query: () => Record<string, string>;
  onMessage: (message: Message) => void;
  onConnection: (connection: Connection, retryInMs: number) => void;
}

/** A live channel; it comes again, more and more patiently, until `close`. */
export class LiveChannel {
  private socket: WebSocket | null = null;
  private timer = 0;
  private failures = 0;
  private closed = false;

  constructor(private readonly options: LiveOptions) {
    this.open();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const { gateway, query, onMessage, onConnection } = this.options;
    onConnection("connecting", 0);
    const base = (gateway.server || location.origin).replace(/^http/, "ws");
    const search = new URLSearchParams(query()).toString();
    const socket = new WebSocket(`${base}/v1/live${search ? `?${search}` : ""}`, ["warmline.v1", `token.${gateway.token}`]);
    this.socket = socket;
    let heard = false;
    socket.onmessage = (event) => {
      if (!heard) {
        heard = true;
        this.failures = 0;
        onConnection("open", 0);
      }
      onMessage(JSON.parse(String(event.data)) as Message);
    };
    socket.onclose = (event) => {
      if (this.closed || this.socket !== socket) return;
      if (event.code === 4401) return onConnection("refused", 0);
      if (event.code === 4404) return onConnection("gone", 0);
      const delay = Math.min(250 * 2 ** this.failures, 10_000);
      this.failures += 1;
      onConnection("retrying", delay);
      this.timer = window.setTimeout(() => this.open(), delay);
    };
  }
}

export interface Problem {
  status: number;
  detail: string;
}

/** Ask the API; what it refuses is thrown as a `Problem`. */
export async function ask<T>(gateway: Gateway, path: string, method = "GET", body?: unknown): Promise<T> {
  const json: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  return fetched<T>(gateway, path, { method, headers: json, body: body === undefined ? null : JSON.stringify(body) });
}

/** Send a file as it is. */
export async function send<T>(gateway: Gateway, path: string, file: Blob): Promise<T> {
  return fetched<T>(gateway, path, { method: "POST", headers: { "content-type": "application/octet-stream" }, body: file });
}

async function fetched<T>(gateway: Gateway, path: string, options: RequestInit & { headers: Record<string, string> }): Promise<T> {
  const answer = await fetch(gateway.server + path, { ...options, headers: { authorization: `Bearer ${gateway.token}`, ...options.headers } });
  if (!answer.ok) {
    const told = (await answer.json().catch(() => ({}))) as { detail?: string };
    throw { status: answer.status, detail: told.detail ?? answer.statusText } satisfies Problem;
  }
  return (answer.status === 204 || answer.headers.get("content-length") === "0" ? undefined : await answer.json()) as T;
}

export function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "status" in error;
}

export const callPath = (call: string) => `/v1/calls/${encodeURIComponent(call)}`;
