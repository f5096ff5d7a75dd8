import type { LiveRoom, Member } from 'watchparty-client/live';
import { el, iconButton, ItemList } from './dom.js';
import { hue } from './format.js';
import { managePerson, quitRoom } from './person.js';

/** Puts a picture over the letter of a person, unless it cannot be loaded. */
function showPicture(place: HTMLElement, url: string): void {
  const image = el('img', { src: url, alt: '', onload: () => place.replaceChildren(image) });
}

/** Who is in the room. */
export class People {
  readonly element = el('div', { class: 'scroll' });
  readonly #list = el('ul', { class: 'people' });
  readonly #items = new ItemList(this.#list);
  readonly #waitForMe: HTMLInputElement;

  constructor(private readonly room: LiveRoom, private readonly roomID: string, private readonly exit: () => void,
    waitForMe: (value: boolean) => void) {
    this.#waitForMe = el('input', { type: 'checkbox', checked: true, onchange: () =>
      waitForMe(this.#waitForMe.checked) });
    this.element.append(this.#list, el('label', { class: 'check row' }, this.#waitForMe,
      'The others wait until my player is ready'));
    for (const name of ['people', 'members', 'place'] as const) room.on(name, () => this.#render());
    this.#render();
  }

  get count(): number {
    return this.room.people.filter(({ connected }) => connected).length;
  }

  #render(): void {
    const rank = { host: 0, moderator: 1, viewer: 2 };
    const people = [...this.room.people].sort((a, b) =>
      Number(b.connected) - Number(a.connected) || rank[a.role] - rank[b.role]);
    const { place, members } = this.room;
    this.#items.show(people.map((person) => {
      const isMe = person.user.id === place?.user.id;
      const waits = members.waiting_for.some(({ id }) => id === person.user.id);
      return { key: person.user.id, shows: [person, isMe, waits], make: () => [this.#item(person, isMe, waits)] };
    }));
  }

  #item(person: Member, isMe: boolean, waits: boolean): HTMLElement {
    const { id, username, display_name: name, avatar: pictures } = person.user;
    const avatar = el('span', { class: 'avatar', 'aria-hidden': 'true' }, name.charAt(0).toUpperCase());
    avatar.style.setProperty('--hue', String(hue(id)));
    if (!pictures.default) showPicture(avatar, pictures.thumbnail);
    return el('li', { class: person.connected ? 'person' : 'person away' },
      avatar,
      el('span', { class: 'stack-none grow' },
        el('span', { class: 'line' }, isMe ? `${name} (you)` : name),
        el('span', { class: 'quiet small' }, `@${username}`, person.connected ? '' : ' · away', person.muted ?
          ' · muted' : ''),
      ),
      waits && el('span', { class: 'badge warn' }, 'not ready'),
      person.role !== 'viewer' && el('span', { class: 'badge' }, person.role),
      iconButton('more', isMe ? 'About you' : `About ${name}`, {
        class: 'icon-button small',
        onclick: () => isMe ? quitRoom(this.room, this.roomID, this.exit) : managePerson(this.room, this.roomID, person),
      }),
    );
  }
}
