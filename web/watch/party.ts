import type { components } from 'watchparty-client';
import type { LiveRoom } from 'watchparty-client/live';
import { Answers } from './answers.js';
import { el, iconButton, openDialog, setText, toast } from './dom.js';
import { countdown, moment, momentElsewhere } from './format.js';
import { editParty } from './schedule.js';
import { api, explain } from './session.js';

export type Party = components['schemas']['Party'];
type Reply = components['schemas']['PartyReply'];

/** How often the card asks for the numbers of answers, of which live connections do not tell. */
const pollGap = 30_000;
/** How often it asks when the start is over, until the party is started or missed. */
const overdueGap = 5_000;

/** What a party is called. */
export function partyTitle({ title, movie }: Party): string {
  return title || movie?.title || 'Watch together';
}

/** When a party starts: for the reader, and in its own zone where clocks differ. */
export function partyTime({ starts_at: start, time_zone: zone }: Party): string {
  const elsewhere = momentElsewhere(start, zone);
  return elsewhere ? `${moment(start)} for you, ${elsewhere}` : moment(start);
}

/** The next party of a room: when it is, who comes, and what its planners can do. It is hidden without a party. */
export class NextParty {
  readonly element: HTMLElement;
  readonly #title = el('h2', { class: 'line', id: 'next-party' });
  readonly #when = el('p', { class: 'quiet small when' });
  readonly #left = el('span', { class: 'left', role: 'timer' });
  readonly #more = el('p', { class: 'quiet small' });
  readonly #answers = new Answers((reply) => this.#reply(reply));
  readonly #move = iconButton('edit', 'Change the party', { onclick: () => this.#change() });
  readonly #cancel = iconButton('close', 'Cancel the party', { onclick: () => this.#confirm() });
  readonly #abort = new AbortController();
  #party: Party | undefined;
  #starts: number | null = null;
  #changed: number | null | undefined;
  #loading = 0;
  #loadedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly room: LiveRoom, private readonly roomID: string) {
    this.element = el('section', { class: 'card party', 'aria-labelledby': 'next-party', hidden: true },
      el('div', { class: 'stack-small grow' },
        el('p', { class: 'row wrap small' }, el('span', { class: 'label' }, 'Next party'), this.#left),
        this.#title, this.#when, this.#more,
      ),
      el('div', { class: 'row wrap' },
        this.#answers.element,
        el('div', { class: 'row tight' },
          iconButton('calendar', 'Add to calendar', { onclick: () => this.#download() }),
          this.#move, this.#cancel,
        ),
      ),
    );
    room.on('place', () => this.#render());
    room.on('state', ({ starts_at_ms: starts }) => { // it is armed, moved, started or cancelled
      if (starts === this.#starts) return;
      this.#starts = starts;
      void this.load();
    });
    room.on('room', ({ parties_ms: changed }) => {
      if (changed === this.#changed) return;
      this.#changed = changed;
      void this.load();
    });
    document.addEventListener('visibilitychange', () => this.#tick(), { signal: this.#abort.signal });
    this.#tick();
  }

  stop(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  async load(): Promise<void> {
    const turn = ++this.#loading;
    this.#loadedAt = performance.now();
    try {
      const { data } = await api.GET('/rooms/{room_id}/parties', { params: { path: { room_id: this.roomID } } });
      const [next, ...later] = data.data;
      if (turn !== this.#loading || this.#abort.signal.aborted) return; // a newer answer comes
      this.#party = next;
      setText(this.#more, later[0] ? `Then: ${later.map((party) => `${partyTitle(party)}, ${moment(party.starts_at)}`)
        .join('; ')}` : '');
      this.#render();
      this.#tick();
    } catch {
      // What is shown stays, and the next time comes soon.
    }
  }

  #render(): void {
    const party = this.#party;
    this.element.hidden = !party;
    if (!party) return;
    const plans = this.room.place?.permissions.includes('schedule_party') ?? false;
    this.#move.hidden = this.#cancel.hidden = !plans;
    setText(this.#title, partyTitle(party));
    setText(this.#when, partyTime(party) + (party.title && party.movie ? ` · ${party.movie.title}` : ''));
    this.#answers.show(party.answers, party.my_answer);
  }

  /** Counts down once a second, and asks now and then, while the page can be seen. */
  #tick(): void {
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted || document.visibilityState === 'hidden') return;
    const left = this.#party && Date.parse(this.#party.starts_at) - (this.room.serverTime() ?? Date.now());
    const gap = left !== undefined && left <= 0 ? overdueGap : pollGap;
    if (performance.now() - this.#loadedAt >= gap) void this.load();
    if (left !== undefined) setText(this.#left, left > 0 ? `in ${countdown(left)}` : 'now');
    const second = left !== undefined && left > 0 ? left % 1000 || 1000 : 1000;
    this.#timer = setTimeout(() => this.#tick(), second);
  }

  #reply(answer: Reply): void {
    const party = this.#party;
    if (!party) return;
    api.PUT('/parties/{party_id}/answer', { params: { path: { party_id: party.id } }, body: { answer } })
      .then(() => this.load(), (error) => toast(explain(error)));
  }

  #change(): void {
    if (this.#party) editParty(this.roomID, () => void this.load(), this.#party);
  }

  #confirm(): void {
    const party = this.#party;
    if (!party) return;
    const status = el('p', { class: 'problem', role: 'alert' });
    const cancel = el('button', {
      type: 'button', class: 'danger',
      onclick: () => {
        cancel.disabled = true;
        api.DELETE('/parties/{party_id}', { params: { path: { party_id: party.id } } }).then(() => {
          dialog.close();
          toast('The party is cancelled.');
          return this.load();
        }, (error) => { status.textContent = explain(error); }).finally(() => { cancel.disabled = false; });
      },
    }, 'Cancel the party');
    const dialog = openDialog('Cancel the party', { role: 'alertdialog' }, el('div', { class: 'stack' },
      el('h2', {}, 'Cancel the party?'),
      el('p', {}, `${partyTitle(party)}, ${moment(party.starts_at)}. Guests who answered yes or maybe get an email.`),
      status,
      el('div', { class: 'row end' },
        el('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Keep it'), cancel),
    ));
  }

  /** Saves the file for calendars. The request is signed, which a link is not. */
  async #download(): Promise<void> {
    if (!this.#party) return;
    try {
      const { data } = await api.GET('/parties/{party_id}/calendar', {
        params: { path: { party_id: this.#party.id } }, parseAs: 'blob',
      });
      const url = URL.createObjectURL(data);
      el('a', { href: url, download: 'party.ics' }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it later
    } catch (error) {
      toast(explain(error));
    }
  }
}
