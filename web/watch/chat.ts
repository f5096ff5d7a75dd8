import type { ChatMessage, LiveRoom } from 'watchparty-client/live';
import { el, type Icon, iconButton, toast } from './dom.js';
import { day, hue, timeOfDay } from './format.js';
import { report } from './report.js';
import { api, explain } from './session.js';

const pageSize = 50;
/** Messages of one person within this time are under one name. */
const together = 5 * 60_000;

/** What people say. */
export class Chat {
  readonly element: HTMLElement;
  /** Called when a message comes that nobody here has seen yet. */
  onNew = () => {};
  readonly #list = el('ol', { class: 'messages', tabindex: 0, 'aria-label': 'Messages' });
  readonly #older = el('button', { type: 'button', class: 'plain', hidden: true, onclick: () =>
    void this.#loadOlder() }, 'Earlier messages');
  readonly #empty = el('p', { class: 'quiet empty-chat', hidden: true }, 'Nobody has said anything yet.');
  readonly #input = el('textarea', { name: 'body', rows: 1, maxlength: 4000, 'aria-label': 'Your message',
    placeholder: 'Say something' });
  readonly #send = iconButton('send', 'Send', { type: 'submit' });
  readonly #about = el('span', { class: 'line grow quiet small' });
  readonly #aboutRow = el('div', { class: 'about row between', hidden: true }, this.#about,
    iconButton('close', 'Write a new message instead', { class: 'icon-button small', onclick: () =>
      this.#write(undefined) }));
  readonly #heard = el('p', { class: 'unseen', 'aria-live': 'polite' });
  readonly #messages = new Map<string, ChatMessage>();
  readonly #shown = new Map<string, { shows: string; items: HTMLElement[] }>();
  #before: string | null = null;
  /** The message that is answered or edited; a new one is written otherwise. */
  #subject: { message: ChatMessage; edits: boolean } | undefined;

  constructor(private readonly room: LiveRoom, private readonly roomID: string) {
    const form = el('form', { class: 'say row', onsubmit: (event) => { event.preventDefault(); void this.#post(); } },
      this.#input, this.#send);
    this.#input.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#subject) this.#write(undefined);
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.element = el('div', { class: 'chat' },
      el('div', { class: 'scroll' }, this.#older, this.#empty, this.#list), this.#heard, this.#aboutRow, form);
    room.on('message', (message) => this.#take(message));
    room.on('phase', (phase) => { if (phase === 'open') void this.load(); });
    room.on('place', () => this.#render());
    room.on('room', () => this.#renderForm());
    void this.load();
  }

  /** Loads the newest page: at the beginning, and whenever something may have been missed. */
  async load(): Promise<void> {
    try {
      const { data } = await api.GET('/chat/messages', { params: { query: { room_id: this.roomID,
        limit: pageSize } } });
      const first = this.#messages.size === 0;
      for (const message of data.data) this.#messages.set(message.id, message);
      if (first) this.#before = data.next_cursor;
      this.#render();
      if (first) this.#scrollDown();
    } catch (error) {
      toast(explain(error));
    }
  }

  async #loadOlder(): Promise<void> {
    if (!this.#before) return;
    try {
      const { data } = await api.GET('/chat/messages', {
        params: { query: { room_id: this.roomID, limit: pageSize, before: this.#before } },
      });
      for (const message of data.data) this.#messages.set(message.id, message);
      this.#before = data.next_cursor;
      const scroll = this.#list.parentElement!;
      const fromBottom = scroll.scrollHeight - scroll.scrollTop;
      this.#render();
      scroll.scrollTop = scroll.scrollHeight - fromBottom;
    } catch (error) {
      toast(explain(error));
    }
  }

  async #post(): Promise<void> {
    const body = this.#input.value.trim();
    if (!body) return;
    this.#send.disabled = true;
    try {
      const subject = this.#subject;
      const { data } = subject?.edits
        ? await api.PATCH('/chat/messages/{message_id}', { params: { path: { message_id: subject.message.id } },
          body: { body } })
        : await api.POST('/chat/messages', { body: { room_id: this.roomID, body,
          ...(subject && { reply_to_id: subject.message.id }) } });
      this.#write(undefined);
      this.#take(data.data);
      if (!subject?.edits) this.#scrollDown();
    } catch (error) {
      toast(explain(error));
    } finally {
      this.#send.disabled = false;
    }
  }

  /** Begins an answer, an edit, or a new message. */
  #write(subject: { message: ChatMessage; edits: boolean } | undefined): void {
    if (!subject || subject.edits || this.#subject?.edits) this.#input.value = subject?.edits ? subject.message.body : '';
    this.#subject = subject;
    this.#aboutRow.hidden = !subject;
    if (!subject) return;
    const name = subject.message.author?.display_name ?? 'somebody who has left';
    this.#about.textContent = subject.edits ? 'You edit your message.' : `To ${name}: ${subject.message.body}`;
    this.#input.focus();
  }

  #take(message: ChatMessage): void {
    const isNew = !this.#messages.has(message.id);
    const scroll = this.#list.parentElement!;
    const atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    this.#messages.set(message.id, message);
    this.#render();
    if (!isNew) return;
    if (atBottom) this.#scrollDown();
    if (message.author?.id === this.room.place?.user.id) return;
    this.#heard.textContent = `${message.author?.display_name ?? 'Somebody'}: ${message.body}`;
    this.onNew();
  }

  #scrollDown(): void {
    const scroll = this.#list.parentElement!;
    scroll.scrollTop = scroll.scrollHeight;
  }

  #render(): void {
    this.#older.hidden = this.#before === null;
    this.#empty.hidden = this.#messages.size > 0;
    const sorted = [...this.#messages.values()].sort((a, b) =>
      a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1);
    this.#show(sorted.flatMap((message, i) => this.#items(message, sorted[i - 1])));
    this.#renderForm();
  }

  /** Leaves what stays where it is: somebody may be at its buttons. */
  #show(items: readonly HTMLElement[]): void {
    const wanted = new Set<Element>(items);
    for (const item of [...this.#list.children]) if (!wanted.has(item)) item.remove();
    let at = this.#list.firstElementChild;
    for (const item of items) {
      if (item === at) at = at.nextElementSibling;
      else this.#list.insertBefore(item, at);
    }
  }

  /** The elements of a message, which are replaced when the message has changed. */
  #items(message: ChatMessage, before: ChatMessage | undefined): HTMLElement[] {
    const shows = JSON.stringify([message, before?.created_at, before?.author?.id, this.room.place?.permissions,
      this.room.place?.user.id]);
    const known = this.#shown.get(message.id);
    if (known?.shows === shows) return known.items;
    const items = this.#item(message, before);
    this.#shown.set(message.id, { shows, items });
    return items;
  }

  #renderForm(): void {
    const { room } = this.room;
    const may = this.#mayWrite();
    this.#input.disabled = !may;
    this.#send.disabled = !may;
    const slow = room && room.slow_mode_seconds > 0 ?
      `Say something (one message each ${room.slow_mode_seconds} s)` : 'Say something';
    this.#input.placeholder = may ? slow : 'You are muted here';
  }

  #item(message: ChatMessage, before: ChatMessage | undefined): HTMLElement[] {
    const items: HTMLElement[] = [];
    const newDay = !before || day(before.created_at) !== day(message.created_at);
    if (newDay) items.push(el('li', { class: 'day' }, day(message.created_at)));
    const follows = !newDay && before?.author?.id === message.author?.id &&
      Date.parse(message.created_at) - Date.parse(before.created_at) < together;
    const name = message.author?.display_name ?? 'Somebody who has left';
    const head = el('span', { class: 'head row' }, el('strong', {}, name), el('time', { datetime: message.created_at },
      timeOfDay(message.created_at)));
    head.style.setProperty('--hue', String(hue(message.author?.id ?? '')));
    // A tap gives it the focus, which shows what can be done with it.
    items.push(el('li', { class: follows ? 'message follows' : 'message', tabindex: -1 },
      follows ? el('span', { class: 'unseen' }, `${name}, ${timeOfDay(message.created_at)}`) : head,
      message.deleted ? el('em', { class: 'quiet' }, 'This message was taken back.') : el('p', {},
        message.reply_to && el('q', { class: 'quiet' }, message.reply_to.excerpt),
        message.body,
        message.edited_at !== null && el('span', { class: 'quiet' }, ' (edited)')),
      !message.deleted && el('span', { class: 'acts row' }, ...this.#acts(message)),
    ));
    return items;
  }

  #acts(message: ChatMessage): (HTMLElement | false)[] {
    const own = message.author?.id === this.room.place?.user.id;
    const act = (name: Icon, label: string, onclick: () => void) => iconButton(name, label, {
      class: 'icon-button small', onclick });
    return [
      this.#mayWrite() && act('reply', 'Answer this message', () => this.#write({ message, edits: false })),
      this.#mayWrite() && own && act('edit', 'Edit this message', () => this.#write({ message, edits: true })),
      !own && message.author !== null && act('flag', 'Report this message', () => report('Report this message', {
        message_id: message.id })),
      this.#mayDelete(message) && act('close', 'Delete this message', () => void this.#delete(message)),
    ];
  }

  #mayWrite(): boolean {
    return this.room.place?.permissions.includes('post_message') ?? true;
  }

  #mayDelete(message: ChatMessage): boolean {
    const { place } = this.room;
    if (!place) return false;
    return message.author?.id === place.user.id || place.permissions.includes('delete_message');
  }

  async #delete(message: ChatMessage): Promise<void> {
    try {
      await api.DELETE('/chat/messages/{message_id}', { params: { path: { message_id: message.id } } });
      this.#take({ ...message, body: '', deleted: true });
    } catch (error) {
      toast(explain(error));
    }
  }
}
