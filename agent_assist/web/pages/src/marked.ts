// A text with stretches of it marked.

import { html } from "lit";

export interface Mark {
  start: number;
  end: number;
}

/** The text cut at the marks, which may overlap, stand in any order or reach beyond it. Places count characters, as Python does. */
export function cut(text: string, marks: Mark[]): { text: string; marked: boolean }[] {
  const characters = [...text];
  const on = new Array<boolean>(characters.length).fill(false);
  for (const { start, end } of marks) on.fill(true, Math.max(0, start), Math.max(0, end));
  const pieces: { text: string; marked: boolean }[] = [];
  characters.forEach((character, at) => {
    const last = pieces.at(-1);
    if (last !== undefined && last.marked === on[at]) last.text += character;
    else pieces.push({ text: character, marked: on[at] ?? false });
  });
  return pieces;
}

export const marked = (text: string, marks: Mark[]) => cut(text, marks).map((piece) => (piece.marked ? html`<mark>${piece.text}</mark>` : piece.text));
