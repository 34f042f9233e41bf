// The way between the pages; those that a reader may not see say so themselves.

import { html } from "lit";
import type { Words } from "./words";

type Linked = "calls" | "search" | "customers" | "segments" | "health" | "knowledge" | "rules";
export type Place = Linked | "replay";

const PATHS: Record<Linked, string> = { calls: "/", search: "/search", customers: "/customer", segments: "/segments", health: "/data-health", knowledge: "/knowledge", rules: "/rules" };

export function links(w: Words, here: Place) {
  return html`<a class="home" href="/">Warmline</a>
    <nav aria-label="Warmline">${Object.entries(PATHS).map(([place, path]) => html`<a href=${path} aria-current=${place === here ? "page" : "false"}>${w.places[place as Linked]}</a>`)}</nav>`;
}
