import type { components } from 'watchparty-client';
import { Answers } from './answers.js';
import { el, field, icon, type Properties, toast } from './dom.js';
import { count } from './format.js';
import { type Party, partyTime, partyTitle } from './party.js';
import { api, explain, playableMovies, type Room } from './session.js';

type MyRoom = components['schemas']['MyRoom'];

/** Shows the rooms. `enter` is called with the one that is chosen. */
export async function showLobby(main: HTMLElement, enter: (roomID: string) => void): Promise<void> {
  const mine = el('div', { class: 'rooms' });
  const others = el('div', { class: 'rooms' });
  const parties = el('div', { class: 'rooms' });
  const upcoming = el('section', { class: 'stack', 'aria-labelledby': 'parties', hidden: true },
    el('h2', { id: 'parties' }, 'Upcoming parties'), parties);
  const dialog = newRoomDialog(enter);
  main.replaceChildren(
    el('div', { class: 'page stack-large' },
      el('div', { class: 'row between wrap' },
        el('h1', {}, 'Rooms'),
        el('button', { type: 'button', class: 'primary row', onclick: () => dialog.showModal() }, icon('plus'),
          'New room'),
      ),
      upcoming,
      el('section', { class: 'stack', 'aria-labelledby': 'mine' }, el('h2', { id: 'mine' }, 'Yours'), mine),
      el('section', { class: 'stack', 'aria-labelledby': 'others' }, el('h2', { id: 'others' }, 'Open to everyone'),
        others),
    ),
    dialog,
  );
  mine.replaceChildren(loading());
  others.replaceChildren(loading());
  try {
    const [own, open, planned] = await Promise.all([
      api.GET('/users/me/rooms', { params: { query: { state: 'open', limit: 100 } } }),
      api.GET('/rooms', { params: { query: { sort: 'active', limit: 100 } } }),
      api.GET('/users/me/parties', { params: { query: { limit: 20 } } }),
    ]);
    parties.replaceChildren(...planned.data.data.map((my) => partyCard(my, enter)));
    upcoming.hidden = planned.data.data.length === 0;
    const known = new Set(own.data.data.map(({ room }) => room.id));
    fill(mine, own.data.data.map((my) => card(my.room, enter, my)), emptyMine(() => dialog.showModal()));
    fill(others, open.data.data.filter(({ id }) => !known.has(id)).map((room) => card(room, enter)),
      el('p', { class: 'quiet' }, 'No other room is open now.'));
  } catch (error) {
    fill(mine, [], problem(error, () => void showLobby(main, enter)));
    others.replaceChildren();
  }
}

function fill(element: HTMLElement, cards: HTMLElement[], empty: HTMLElement): void {
  element.replaceChildren(...(cards.length > 0 ? cards : [empty]));
}

function loading(): HTMLElement {
  return el('p', { class: 'quiet', role: 'status' }, 'One moment…');
}

function problem(error: unknown, again: () => void): HTMLElement {
  return el('div', { class: 'stack' },
    el('p', { class: 'problem', role: 'alert' }, explain(error)),
    el('div', {}, el('button', { type: 'button', onclick: again }, 'Try again')),
  );
}

function emptyMine(create: () => void): HTMLElement {
  return el('div', { class: 'empty' },
    icon('film'),
    el('p', {}, 'You are in no room yet. Open one, and send its link to those who should watch with you.'),
    el('button', { type: 'button', onclick: create }, 'Open a room'),
  );
}

/** The properties of a link to a room. */
function linkTo(roomID: string, enter: (roomID: string) => void): Properties {
  return {
    href: `?room=${roomID}`,
    onclick: (event) => {
      const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
      if (ctrlKey || metaKey || shiftKey) return;
      event.preventDefault();
      enter(roomID);
    },
  };
}

function partyCard(party: Party, enter: (roomID: string) => void): HTMLElement {
  const title = partyTitle(party);
  const answers = new Answers((reply) => {
    api.PUT('/parties/{party_id}/answer', { params: { path: { party_id: party.id } }, body: { answer: reply } })
      .then(() => api.GET('/parties/{party_id}', { params: { path: { party_id: party.id } } }))
      .then(({ data }) => answers.show(data.data.answers, reply), (error) => toast(explain(error)));
  }, `Are you coming to ${title}?`);
  answers.show(party.answers, party.my_answer);
  return el('article', { class: 'card stack-small my-party' },
    el('h3', { class: 'line' }, title),
    el('p', { class: 'quiet small' }, partyTime(party)),
    el('a', { class: 'line', ...linkTo(party.room_id, enter) }, party.room_name),
    answers.element,
  );
}

function card(room: Room, enter: (roomID: string) => void, mine?: MyRoom): HTMLElement {
  const poster = el('span', { class: 'poster' }, icon('film'));
  const plays = el('span', { class: 'quiet line' }, room.description || 'No movie chosen yet');
  if (room.movie) {
    plays.textContent = `${room.movie.title} (${room.movie.year})`;
    if (room.movie.poster_url) showPoster(poster, room.movie.poster_url);
  }
  return el('a', {
    class: 'room-card',
    ...linkTo(room.id, enter),
  },
    poster,
    el('span', { class: 'stack-small' },
      el('span', { class: 'name line' }, room.name),
      plays,
      el('span', { class: 'row wrap badges' },
        el('span', { class: 'badge' }, `${count(room.participants, 'person').replace('persons', 'people')}`),
        room.visibility !== 'public' && el('span', { class: 'badge' }, room.visibility),
        mine && mine.role !== 'viewer' && el('span', { class: 'badge accent' }, mine.role),
        mine && mine.unread > 0 && el('span', { class: 'badge accent' }, `${mine.unread} new`),
      ),
    ),
  );
}

export function showPoster(place: HTMLElement, url: string): void {
  const image = el('img', { src: url, alt: '', loading: 'lazy', onerror: () => image.remove() });
  place.append(image);
}

/** The dialog in which a room is opened. */
function newRoomDialog(enter: (roomID: string) => void): HTMLDialogElement {
  const status = el('p', { class: 'problem', role: 'alert' });
  const movie = el('select', { name: 'movie_id' }, el('option', { value: '' }, 'Choose later'));
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Open the room');
  const form = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      submit.disabled = true;
      const data = new FormData(form);
      const text = (name: string) => String(data.get(name) ?? '');
      const movieID = text('movie_id');
      api.POST('/rooms', {
        body: {
          name: text('name'),
          visibility: text('visibility') as Room['visibility'],
          ...(movieID && { movie_id: movieID }),
        },
      }).then(({ data: { data: room } }) => {
        dialog.close();
        enter(room.id);
      }, (error) => { status.textContent = explain(error); }).finally(() => { submit.disabled = false; });
    },
  },
    el('h2', {}, 'New room'),
    field('Name', el('input', { name: 'name', required: true, maxlength: 100, autocomplete: 'off' })),
    field('Movie', movie),
    field('Visibility', el('select', { name: 'visibility' },
      el('option', { value: 'public' }, 'Public: listed for everyone'),
      el('option', { value: 'unlisted' }, 'Unlisted: anyone with the link'),
      el('option', { value: 'private' }, 'Private: invited people only'),
    )),
    status,
    el('div', { class: 'row end' },
      el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      submit,
    ),
  );
  const dialog = el('dialog', { 'aria-label': 'New room' }, form);
  playableMovies().then((movies) => {
    movie.append(...movies.map(({ id, title, year }) => el('option', { value: id }, `${title} (${year})`)));
  }, (error) => toast(explain(error)));
  return dialog;
}
