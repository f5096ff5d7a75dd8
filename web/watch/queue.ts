import type { components } from 'watchparty-client';
import type { LiveRoom } from 'watchparty-client/live';
import { el, iconButton, ItemList, toast } from './dom.js';
import { clockTime, count } from './format.js';
import { api, explain } from './session.js';

type QueueItem = components['schemas']['QueueItem'];

/** What comes next. */
export class Queue {
  readonly element: HTMLElement;
  readonly #list = el('ol', { class: 'queue' });
  readonly #entries = new ItemList(this.#list);
  readonly #empty = el('p', { class: 'quiet empty-chat' }, 'The queue is empty.');
  readonly #add: HTMLButtonElement;
  readonly #skip: HTMLButtonElement;
  #items: readonly QueueItem[] = [];
  #loading = 0;
  /** The epoch of what the reader votes to skip. */
  #skipped: number | undefined;

  constructor(private readonly room: LiveRoom, private readonly roomID: string, add: () => void) {
    this.#add = el('button', { type: 'button', onclick: add }, 'Add a movie');
    this.#skip = el('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.#voteToSkip() },
      'Vote to skip');
    this.element = el('div', { class: 'scroll' },
      el('div', { class: 'row wrap queue-head' }, this.#add, this.#skip), this.#empty, this.#list);
    for (const name of ['queue', 'hidden'] as const) room.on(name, () => void this.#load());
    for (const name of ['place', 'room', 'state'] as const) room.on(name, () => this.#render());
    this.#render();
  }

  get length(): number {
    return this.#items.length;
  }

  /** Called when the length has changed. */
  onLength = () => {};

  async #load(): Promise<void> {
    const turn = ++this.#loading;
    try {
      const { data } = await api.GET('/rooms/{room_id}/queue', { params: { path: { room_id: this.roomID } } });
      if (turn !== this.#loading) return; // a newer answer comes
      this.#items = data.data.items;
      this.#render();
      this.onLength();
    } catch (error) {
      toast(explain(error));
    }
  }

  #may(permission: components['schemas']['Permission']): boolean {
    return this.room.place?.permissions.includes(permission) ?? false;
  }

  #render(): void {
    this.#add.hidden = !this.#may('add_to_queue');
    const votes = this.room.queue?.skip_votes ?? 0;
    this.#skip.hidden = !this.#may('vote') || (this.room.state?.state ?? 'idle') === 'idle';
    this.#skip.setAttribute('aria-pressed', String(this.#skipped === this.room.state?.epoch));
    this.#skip.textContent = votes > 0 ? `Vote to skip (${votes})` : 'Vote to skip';
    this.#empty.hidden = this.#items.length > 0;
    const byVotes = this.room.room?.queue_order === 'votes';
    const { place } = this.room;
    this.#entries.show(this.#items.map((item, i) => ({
      key: item.id,
      shows: [item, this.#items[i - 1]?.id, byVotes, place?.permissions, place?.user.id],
      make: () => [this.#item(item, i, byVotes)],
    })));
  }

  #item(item: QueueItem, i: number, byVotes: boolean): HTMLElement {
    const mine = item.added_by?.id === this.room.place?.user.id;
    const mayEdit = this.#may('edit_queue');
    const path = { room_id: this.roomID, item_id: item.id };
    const before = this.#items[i - 1];
    return el('li', { class: 'queue-item row' },
      el('span', { class: 'stack-none grow' },
        el('span', { class: 'line' }, item.title),
        el('span', { class: 'quiet small line' },
          item.duration_ms ? `${clockTime(item.duration_ms)} · ` : '',
            `added by ${mine ? 'you' : (item.added_by?.display_name ?? 'somebody')}`,
          byVotes || item.votes > 0 ? ` · ${count(item.votes, 'vote')}` : ''),
      ),
      this.#may('vote') && iconButton('vote', item.voted ?
        `Take your vote for ${item.title} back` : `Vote for ${item.title}`, {
        class: item.voted ? 'icon-button small on' : 'icon-button small', 'aria-pressed': String(item.voted),
        onclick: () => this.#attempt(() => item.voted
          ? api.DELETE('/rooms/{room_id}/queue/{item_id}/vote', { params: { path } })
          : api.PUT('/rooms/{room_id}/queue/{item_id}/vote', { params: { path } })),
      }),
      mayEdit && !byVotes && before !== undefined && iconButton('up', `Move ${item.title} up`, {
        class: 'icon-button small',
        onclick: () => this.#attempt(() => api.PUT('/rooms/{room_id}/queue/{item_id}/place', { params: { path },
          body: { before_id: before.id } })),
      }),
      this.#may('control_playback') && iconButton('play', `Play ${item.title} now`, {
        class: 'icon-button small',
        onclick: () => this.#attempt(() => this.room.command({ t: 'load', item_id: item.id })),
      }),
      (mine || mayEdit) && iconButton('close', `Remove ${item.title}`, {
        class: 'icon-button small',
        onclick: () => this.#attempt(() => api.DELETE('/rooms/{room_id}/queue/{item_id}', { params: { path } })),
      }),
    );
  }

  /** Loads the queue after a refusal, too: what was not there any more is then gone from the page. */
  #attempt(action: () => Promise<unknown>): Promise<void> {
    return action().catch((error) => toast(explain(error))).then(() => this.#load());
  }

  async #voteToSkip(): Promise<void> {
    const epoch = this.room.state?.epoch ?? 0;
    const skip = this.#skipped !== epoch;
    try {
      await api.PUT('/rooms/{room_id}/playback/skip-vote', {
        params: { path: { room_id: this.roomID } }, body: { epoch, skip },
      });
      this.#skipped = skip ? epoch : undefined;
      this.#render();
    } catch (error) {
      toast(explain(error));
    }
  }
}
