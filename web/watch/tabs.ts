import { el, setText } from './dom.js';

interface Tab {
  id: string;
  label: string;
  content: HTMLElement;
}

/** Tabs, as the ARIA patterns have them: arrows go from one to the next. */
export class Tabs {
  readonly element: HTMLElement;
  readonly #tabs = new Map<string, { button: HTMLButtonElement; panel: HTMLElement }>();

  constructor(tabs: Tab[]) {
    for (const { id, label, content } of tabs) {
      const button = el('button', {
        type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}`, onclick: () => this.show(id),
      }, label);
      const panel = el('div', { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}` }, content);
      this.#tabs.set(id, { button, panel });
    }
    const all = [...this.#tabs.values()];
    const bar = el('div', { role: 'tablist', class: 'tabs', 'aria-label': 'The room' }, ...all.map(({ button }) =>
      button));
    bar.addEventListener('keydown', (event) => this.#key(event));
    this.element = el('aside', { class: 'side', 'aria-label': 'The room' }, bar, ...all.map(({ panel }) => panel));
    this.show(tabs[0]!.id);
  }

  show(id: string): void {
    for (const [name, { button, panel }] of this.#tabs) {
      const isShown = name === id;
      button.setAttribute('aria-selected', String(isShown));
      button.tabIndex = isShown ? 0 : -1;
      panel.hidden = !isShown;
      if (isShown) button.classList.remove('marked');
    }
  }

  /** Shows that there is something new behind a tab. */
  mark(id: string): void {
    const tab = this.#tabs.get(id);
    if (tab?.panel.hidden) tab.button.classList.add('marked');
  }

  rename(id: string, label: string): void {
    const tab = this.#tabs.get(id);
    if (tab) setText(tab.button, label);
  }

  #key(event: KeyboardEvent): void {
    const ids = [...this.#tabs.keys()];
    const at = ids.findIndex((id) => this.#tabs.get(id)?.button === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step === undefined ? undefined : ids[(at + step + ids.length) % ids.length];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    this.show(next);
    this.#tabs.get(next)?.button.focus();
  }
}
