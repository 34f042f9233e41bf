// The language and the theme that a reader has chosen, and the two buttons that change them.

import { type ReactiveController, type ReactiveControllerHost, html } from "lit";
import { type Theme, keepTheme } from "./style";
import { type Words, chosenLanguage, keepLanguage, words } from "./words";

export class Look implements ReactiveController {
  language = chosenLanguage();

  constructor(private readonly host: ReactiveControllerHost & { theme: Theme }) {
    host.addController(this);
  }

  hostConnected(): void {
    // Another page may have changed it meanwhile.
    this.language = chosenLanguage();
  }

  get words(): Words {
    return words(this.language);
  }

  buttons() {
    const w = this.words;
    return html`<button data-testid="language" @click=${this.switchLanguage}>${w.other}</button>
      <button @click=${this.switchTheme} aria-label=${w.theme} title=${w.theme}>◐</button>`;
  }

  private switchLanguage = (): void => {
    this.language = this.language === "zh" ? "en" : "zh";
    keepLanguage(this.language);
    this.host.requestUpdate();
  };

  private switchTheme = (): void => {
    this.host.theme = this.host.theme === "dark" ? "light" : "dark";
    keepTheme(this.host.theme);
  };
}
