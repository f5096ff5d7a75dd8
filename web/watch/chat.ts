import type { ChatMessage, LiveRoom } from 'watchparty-client/live';
import { el, type Icon, iconButton, ItemList, toast } from './dom.js';
import { day, hue, timeOfDay } from './format.js';
import { report } from './report.js';
import { api, explain } from './session.js';

const pageSize = 50;
/** How many pages are loaded at once of what was missed. */
const maxPages = 10;
/** The length of quotes, in characters. */
const maxExcerpt = 140;
/** Messages of one person within this time are under one name. */
const together = 5 * 60_000;

/** What people say. */
export class Chat {
  readonly element: HTMLElement;
  /** Called when a message comes that nobody here has seen yet. */
  onNew = () => {};
  readonly #list = el('ol', { class: 'messages', tabindex: 0, 'aria-label': 'Messages' });
  readonly #older = el('button', { type: 'button', class: 'plain', hidden: true, onclick: () =>
    this.#loadOlder() }, 'Earlier messages');
  readonly #empty = el('p', { class: 'quiet empty-chat', hidden: true }, 'No messages yet.');
  readonly #input = el('textarea', { name: 'body', rows: 1, maxlength: 2000, 'aria-label': 'Your message',
    placeholder: 'Say something' });
  readonly #send = iconButton('send', 'Send', { type: 'submit' });
  readonly #about = el('span', { class: 'line grow quiet small' });
  readonly #aboutRow = el('div', { class: 'about row between', hidden: true }, this.#about,
    iconButton('close', 'Write a new message instead', { class: 'icon-button small', onclick: () =>
      this.#write(undefined) }));
  readonly #heard = el('p', { class: 'unseen', 'aria-live': 'polite' });
  readonly #messages = new Map<string, ChatMessage>();
  readonly #items = new ItemList(this.#list);
  /** Which edits and deletions are known. */
  #updates: string | null = null;
  #loading = Promise.resolve();
  /** What was known when something may have been missed, until that is loaded. */
  #known: ReadonlySet<string> | undefined;
  #before: string | null = null;
  /** The message that is answered or edited; a new one is written otherwise. */
  #subject: { message: ChatMessage; edits: boolean } | undefined;

  constructor(private readonly room: LiveRoom, private readonly roomID: string) {
    const form = el('form', { class: 'say row', onsubmit: (event) => { event.preventDefault(); return this.#post(); } },
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
    room.on('hidden', (user) => this.#hide(user));
    room.on('phase', (phase) => { if (phase === 'open') this.#load(); });
    room.on('place', () => this.#render());
    room.on('room', () => this.#renderForm());
    this.#load();
  }

  /** Loads what is new: at the beginning, and whenever something may have been missed. */
  #load(): void {
    const known = this.#known ??= new Set(this.#messages.keys());
    this.#loading = this.#loading.then(() => this.#catchUp(known)).catch((error) => toast(explain(error)));
  }

  async #catchUp(known: ReadonlySet<string>): Promise<void> {
    for (let before: string | null = null, pages = 1; ; pages++) {
      const { data } = await this.#page(before ? { before } : {});
      const meets = data.data.some(({ id }) => known.has(id));
      if (pages === 1) this.#updates ??= data.updates_cursor;
      if (known.size === 0) this.#before = data.next_cursor;
      for (const message of data.data) this.#keep(message);
      before = data.next_cursor;
      if (known.size === 0 || meets || !before) break;
      if (pages < maxPages) continue;
      for (const id of known) this.#messages.delete(id); // too long away: `Earlier messages` has the rest
      this.#before = before;
      break;
    }
    while (known.size > 0 && this.#updates) {
      const { data } = await this.#page({ updated_after: this.#updates });
      for (const message of data.data) if (this.#messages.has(message.id)) this.#keep(message);
      this.#updates = data.updates_cursor;
      if (data.data.length < pageSize) break;
    }
    this.#known = undefined;
    this.#render();
    if (known.size === 0) this.#scrollDown();
  }

  #page(cursor: { before?: string; updated_after?: string }) {
    return api.GET('/chat/messages', { params: { query: { room_id: this.roomID, limit: pageSize, ...cursor } } })
      .then(({ data }) => ({ data }));
  }

  /** Stores a message as it is now, in the quotes of it, too. */
  #keep(message: ChatMessage): void {
    this.#messages.set(message.id, message);
    const excerpt = [...message.body].slice(0, maxExcerpt).join('');
    for (const [id, other] of this.#messages) {
      if (other.reply_to?.id !== message.id || other.reply_to.excerpt === excerpt) continue;
      this.#messages.set(id, { ...other, reply_to: { ...other.reply_to, excerpt } });
    }
  }

  /** Removes what a person has written, from the quotes of it, too. */
  #hide(user: string): void {
    for (const [id, message] of this.#messages) {
      const { author, reply_to: quote } = message;
      if (author?.id === user) this.#messages.delete(id);
      else if (quote?.author?.id === user) this.#messages.set(id, { ...message, reply_to: { ...quote, excerpt: '' } });
    }
    this.#render();
  }

  async #loadOlder(): Promise<void> {
    if (!this.#before) return;
    try {
      const { data } = await this.#page({ before: this.#before });
      for (const message of data.data) this.#keep(message);
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
    const written = this.#input.value;
    const body = written.trim();
    if (!body) return;
    const subject = this.#subject;
    try {
      const { data } = subject?.edits
        ? await api.PATCH('/chat/messages/{message_id}', { params: { path: { message_id: subject.message.id } },
          body: { body } })
        : await api.POST('/chat/messages', { body: { room_id: this.roomID, body,
          ...(subject && { reply_to_id: subject.message.id }) } });
      const { value } = this.#input;
      const more = value.startsWith(written) ? value.slice(written.length) : value; // what was written meanwhile
      if (this.#subject === subject) {
        this.#write(undefined);
        this.#input.value = more;
      }
      this.#take(data.data);
      if (!subject?.edits) this.#scrollDown();
    } catch (error) {
      toast(explain(error));
    }
  }

  /** Begins an answer, an edit, or a new message. */
  #write(subject: { message: ChatMessage; edits: boolean } | undefined): void {
    if (!subject || subject.edits || this.#subject?.edits) this.#input.value = subject?.edits ? subject.message.body : '';
    this.#subject = subject;
    this.#aboutRow.hidden = !subject;
    if (!subject) return;
    const name = subject.message.author?.display_name ?? 'a deleted account';
    this.#about.textContent = subject.edits ? 'You edit your message.' : `To ${name}: ${subject.message.body}`;
    this.#input.focus();
  }

  #take(message: ChatMessage): void {
    const isNew = !this.#messages.has(message.id);
    if (isNew && this.#before !== null && (this.#sorted()[0]?.created_at ?? '') > message.created_at) {
      return; // an old one has changed, which is not loaded
    }
    const scroll = this.#list.parentElement!;
    const atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    this.#keep(message);
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
    const { place } = this.room;
    this.#items.show(this.#sorted().map((message, i, all) => ({
      key: message.id,
      shows: [message, all[i - 1]?.created_at, all[i - 1]?.author?.id, place?.permissions, place?.user.id],
      make: () => this.#item(message, all[i - 1]),
    })));
    this.#renderForm();
  }

  #sorted(): ChatMessage[] {
    return [...this.#messages.values()].sort((a, b) =>
      a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1);
  }

  #renderForm(): void {
    const { room } = this.room;
    const may = this.#mayWrite();
    this.#input.disabled = !may;
    this.#send.disabled = !may;
    const slow = room && room.slow_mode_seconds > 0 ?
      `Say something (one message every ${room.slow_mode_seconds} s)` : 'Say something';
    this.#input.placeholder = may ? slow : 'You are muted here';
  }

  #item(message: ChatMessage, before: ChatMessage | undefined): HTMLElement[] {
    const items: HTMLElement[] = [];
    const newDay = !before || day(before.created_at) !== day(message.created_at);
    if (newDay) items.push(el('li', { class: 'day' }, day(message.created_at)));
    const follows = !newDay && before?.author?.id === message.author?.id &&
      Date.parse(message.created_at) - Date.parse(before.created_at) < together;
    const name = message.author?.display_name ?? 'Deleted account';
    const head = el('span', { class: 'head row' }, el('strong', {}, name), el('time', { datetime: message.created_at },
      timeOfDay(message.created_at)));
    head.style.setProperty('--hue', String(hue(message.author?.id ?? '')));
    // A tap gives it the focus, which shows what can be done with it.
    items.push(el('li', { class: follows ? 'message follows' : 'message', tabindex: -1 },
      follows ? el('span', { class: 'unseen' }, `${name}, ${timeOfDay(message.created_at)}`) : head,
      message.deleted ? el('em', { class: 'quiet' }, 'This message was deleted.') : el('p', {},
        message.reply_to && (message.reply_to.excerpt
          ? el('q', { class: 'quiet' }, message.reply_to.excerpt)
          : el('em', { class: 'quiet' }, 'Reply to a deleted message. ')),
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
      this.#mayDelete(message) && act('close', 'Delete this message', () => this.#delete(message)),
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
