import { type End, LiveRoom } from 'watchparty-client/live';
import { ProblemError } from 'watchparty-client';
import { Chat } from './chat.js';
import { closeDialogs, el, icon, iconButton, setText } from './dom.js';
import { invite } from './invite.js';
import { chooseMovie } from './movies.js';
import { NextParty } from './party.js';
import { People } from './people.js';
import { Player } from './player.js';
import { Queue } from './queue.js';
import { editParty } from './schedule.js';
import { api, explain, type Room } from './session.js';
import { editSettings } from './settings.js';
import { Tabs } from './tabs.js';

/** A room that is shown. */
export interface ShownRoom {
  leave(): void;
}

/** Where to go from a room that cannot be entered: back to the list, or to the room once more. */
interface Ways {
  exit: () => void;
  again: () => void;
}

/** Joins a room and shows it. */
export async function showRoom(main: HTMLElement, roomID: string, ways: Ways): Promise<ShownRoom | undefined> {
  main.replaceChildren(el('p', { class: 'page quiet', role: 'status' }, 'Entering the room…'));
  try {
    const { data } = await api.POST('/rooms/{room_id}/join', { params: { path: { room_id: roomID } } });
    return new RoomPage(main, data.data, ways);
  } catch (error) {
    main.replaceChildren(ended(whyNot(error), ways, 'Try again'));
    return undefined;
  }
}

class RoomPage implements ShownRoom {
  readonly #live: LiveRoom;
  readonly #player: Player;
  readonly #party: NextParty;
  readonly #abort = new AbortController();
  readonly #name: HTMLElement;

  readonly #roomID: string;

  constructor(private readonly main: HTMLElement, room: Room, private readonly ways: Ways) {
    const roomID = room.id;
    this.#roomID = roomID;
    this.#name = el('h1', { class: 'line' }, room.name);
    this.#live = new LiveRoom(api, roomID);
    const queue = new Queue(this.#live, roomID, () => this.#addToQueue());
    this.#player = new Player(this.#live, () => this.#choose(), () => queue.length > 0 || room.movie !== null);
    this.#party = new NextParty(this.#live, roomID);
    const chat = new Chat(this.#live, roomID);
    const people = new People(this.#live, roomID, ways.exit, (value) => { this.#player.waitForMe = value; });
    const tabs = new Tabs([
      { id: 'chat', label: 'Chat', content: chat.element },
      { id: 'people', label: 'People', content: people.element },
      { id: 'queue', label: 'Queue', content: queue.element },
    ]);
    queue.onLength = () => {
      tabs.rename('queue', queue.length > 0 ? `Queue (${queue.length})` : 'Queue');
      this.#player.refresh();
    };
    chat.onNew = () => tabs.mark('chat');
    const count = () => tabs.rename('people', `People (${people.count})`);
    this.#live.on('people', count);
    const movie = el('button', { type: 'button', class: 'row', onclick: () => this.#choose() },
      icon('film'), el('span', { class: 'word' }, 'Choose a movie'));
    const settings = iconButton('gear', 'Settings of the room', { onclick: () => editSettings(this.#live, roomID) });
    const schedule = iconButton('calendar', 'Schedule a party', {
      onclick: () => editParty(roomID, () => void this.#party.load()),
    });
    const render = () => {
      schedule.hidden = !this.#live.place?.permissions.includes('schedule_party');
      settings.hidden = !this.#live.place?.permissions.includes('edit_room');
      setText(this.#name, this.#live.room?.name ?? room.name);
      if (this.#live.room) document.title = `${this.#live.room.name} · WatchParty`;
      movie.hidden = !this.#player.mayControl || this.#live.state?.state === 'idle';
    };
    for (const name of ['room', 'place', 'state'] as const) this.#live.on(name, render);
    render();
    this.#live.on('phase', (phase) => { if (phase === 'closed') this.#closed(this.#live.end); });
    main.replaceChildren(el('div', { class: 'room' },
      el('div', { class: 'room-head row between wrap' },
        this.#name,
        el('div', { class: 'row wrap' },
          movie,
          schedule,
          settings,
          iconButton('invite', 'Invite people', { onclick: () => invite(this.#live, roomID) }),
          el('button', { type: 'button', onclick: () => this.ways.exit() }, 'Leave'),
        ),
      ),
      this.#player.element,
      this.#party.element,
      tabs.element,
    ));
    document.addEventListener('keydown', (event) => this.#key(event), { signal: this.#abort.signal });
  }

  leave(): void {
    this.#abort.abort();
    this.#live.close();
    this.#party.stop();
    this.#player.stop();
  }

  #choose(): void {
    chooseMovie(this.#live, 'Choose a movie', (choice) => this.#live.command({ t: 'load', ...choice }));
  }

  #addToQueue(): void {
    chooseMovie(this.#live, 'Add a movie to the queue', async (choice) => {
      await api.POST('/rooms/{room_id}/queue', { params: { path: { room_id: this.#roomID } }, body: choice });
    });
  }

  /** The keys of a player, unless somebody writes or moves in a control. */
  #key(event: KeyboardEvent): void {
    const target = event.target as Element;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (target.closest('input, textarea, select, [role="tab"], .messages')) return;
    if (event.key === ' ' && target.closest('button, a')) return;
    const actions: Record<string, () => void> = {
      ' ': () => this.#player.toggle(),
      k: () => this.#player.toggle(),
      ArrowLeft: () => this.#player.seekBy(-5_000),
      ArrowRight: () => this.#player.seekBy(5_000),
      m: () => this.#player.mute(),
      f: () => this.#player.whole(),
      c: () => this.#player.captions(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith('Arrow')) return; // a key that is held turns nothing on and off again
    action();
  }

  #closed(end: End | undefined): void {
    if (!end || end.reason === 'left') return;
    this.leave();
    closeDialogs();
    this.main.replaceChildren(ended(endText(end), this.ways, again.get(end.code)));
  }
}

/** What is offered after a connection has ended, besides the list. */
const again = new Map([[4401, 'Sign in']]);

function ended(text: string, ways: Ways, again?: string): HTMLElement {
  return el('div', { class: 'card narrow stack' },
    el('h1', {}, 'You are not in this room'),
    el('p', { role: 'alert' }, text),
    el('div', { class: 'row wrap' },
      again && el('button', { type: 'button', class: 'primary', onclick: ways.again }, again),
      el('button', { type: 'button', class: again ? '' : 'primary', onclick: ways.exit }, 'To the rooms'),
    ),
  );
}

function whyNot(error: unknown): string {
  if (error instanceof ProblemError) {
    if (error.status === 404 || error.status === 400) return 'There is no such room, or it is private and you are not invited.';
    if (error.code === 'room_full') return 'The room is full. Try again when somebody has left.';
  }
  return explain(error);
}

function endText({ code, reason }: End): string {
  switch (code) {
    case 4401: return 'Your sign-in has ended. Sign in again.';
    case 4403: return reason === 'banned' ? 'You are banned from this room.' : 'You were removed from this room.';
    case 4404: return 'This room no longer exists.';
    case 4409: return 'You have opened this room in another window.';
    case 4410: return 'The room is closed.';
    default: return `The connection ended (${code}).`;
  }
}

