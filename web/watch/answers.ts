import type { components } from 'watchparty-client';
import { el, setText } from './dom.js';

type Reply = components['schemas']['PartyReply'];

const labels: Record<Reply, string> = { yes: 'Yes', maybe: 'Maybe', no: 'No' };

/** Three buttons with which somebody says whether they come, and how many have said so. */
export class Answers {
  readonly element: HTMLElement;
  readonly #buttons = new Map<Reply, HTMLButtonElement>();

  constructor(take: (reply: Reply) => void, label = 'Are you coming?') {
    for (const reply of Object.keys(labels) as Reply[]) {
      this.#buttons.set(reply, el('button', { type: 'button', class: 'small', onclick: () => take(reply) }));
    }
    this.element = el('div', { class: 'row tight', role: 'group', 'aria-label': label }, ...this.#buttons.values());
  }

  show(counts: components['schemas']['PartyCounts'], own: Reply | null): void {
    for (const [reply, button] of this.#buttons) {
      setText(button, `${labels[reply]} (${counts[reply]})`);
      button.setAttribute('aria-pressed', String(reply === own));
    }
  }
}
