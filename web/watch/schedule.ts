import { el, field, openDialog, toast } from './dom.js';
import { localInput, ownZone } from './format.js';
import type { Party } from './party.js';
import { api, changes, explain, playableMovies } from './session.js';

/** The dialog in which a party is scheduled, or one that is scheduled is changed. Then it calls `done`. */
export function editParty(roomID: string, done: () => void, party?: Party): void {
  const label = party ? 'Change the party' : 'Schedule a party';
  const start = localInput(party ? new Date(party.starts_at) : nextHour());
  const movieID = party?.movie?.id ?? '';
  const movie = el('select', { name: 'movie_id' },
    el('option', { value: '' }, 'Choose later'),
    party?.movie && el('option', { value: movieID, selected: true }, `${party.movie.title} (${party.movie.year})`),
  );
  const status = el('p', { class: 'problem', role: 'alert' });
  const submit = el('button', { type: 'submit', class: 'primary' }, party ? 'Save' : 'Schedule');
  const form = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      const is = values();
      const change = changes(shown, is);
      if (party && Object.keys(change).length === 0) return dialog.close();
      submit.disabled = true;
      status.textContent = '';
      const send = () => party
        ? api.PATCH('/parties/{party_id}', { params: { path: { party_id: party.id } }, body: change })
        : api.POST('/rooms/{room_id}/parties', {
          params: { path: { room_id: roomID } }, body: { ...is, time_zone: ownZone() },
        });
      send().then(() => {
        dialog.close();
        toast(party ? 'The party is changed.' : 'The party is scheduled.');
        done();
      }, (error) => { status.textContent = explain(error); }).finally(() => { submit.disabled = false; });
    },
  },
    el('h2', {}, label),
    field('When it starts', el('input', { name: 'starts_at', type: 'datetime-local', required: true, value: start }),
      `In your time zone, ${ownZone().replaceAll('_', ' ')}.`),
    field('Title', el('input', { name: 'title', maxlength: 100, value: party?.title ?? '', autocomplete: 'off' }),
      'If empty, the title of the movie.'),
    field('Movie', movie, 'If none, the loaded movie, or the first in the queue.'),
    status,
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Back'), submit),
  );
  const values = () => {
    const data = new FormData(form);
    const text = (name: string) => String(data.get(name) ?? '').trim();
    return {
      starts_at: new Date(text('starts_at')).toISOString(), title: text('title') || null,
      movie_id: text('movie_id') || null,
    };
  };
  const shown = values();
  const dialog = openDialog(label, {}, form);
  playableMovies().then((movies) => {
    movie.append(...movies.filter(({ id }) => id !== movieID).map(({ id, title, year }) =>
      el('option', { value: id }, `${title} (${year})`)));
  }, (error) => { status.textContent = explain(error); });
}

/** The first full hour that is an hour ahead. */
function nextHour(): Date {
  const hour = new Date(Date.now() + 2 * 3_600_000);
  hour.setMinutes(0, 0, 0);
  return hour;
}
