import type { LiveRoom } from 'watchparty-client/live';
import { el, field, iconButton, icon, openDialog } from './dom.js';
import { showPoster } from './lobby.js';
import { explain, type Movie, playableMovies } from './session.js';

/** What to play: a movie of the catalogue, or an address. */
export type Choice = { movie_id: string } | { stream_url: string; title?: string };

/** How long nobody types before the catalogue is searched. */
const typingGap = 300;
/** The longest text that the catalogue can be searched for. */
const maxSearch = 100;

/** The dialog in which a movie is chosen. */
export function chooseMovie(room: LiveRoom, title: string, take: (choice: Choice) => Promise<unknown>): void {
  const status = el('p', { class: 'problem', role: 'alert' });
  const movieList = el('ul', { class: 'movies' });
  const attempt = (choice: Choice): Promise<void> => {
    status.textContent = '';
    return take(choice).then(() => dialog.close(), (error) => { status.textContent = explain(error); });
  };
  let asking = new AbortController();
  const load = (): void => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const words = search.value.trim().slice(0, maxSearch);
    status.textContent = '';
    playableMovies(words, signal).then((movies) => {
      if (signal.aborted) return;
      movieList.replaceChildren(...movies.map((movie) => el('li', {}, movieButton(movie, () => attempt({
        movie_id: movie.id })))));
      if (movies.length === 0) movieList.append(el('li', { class: 'quiet' }, words ?
        'No movie that can be played has this title.' : 'The catalogue has no movie that can be played.'));
    }, (error) => {
      if (signal.aborted) return;
      movieList.replaceChildren();
      status.textContent = explain(error);
    });
  };
  let typing: ReturnType<typeof setTimeout> | undefined;
  const search = el('input', {
    name: 'q', type: 'search', 'aria-label': 'Search the catalogue', placeholder: 'Search', autocomplete: 'off',
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(load, typingGap);
    },
  });
  const role = room.place?.role;
  const address: HTMLFormElement = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      const data = new FormData(address);
      const name = String(data.get('title') ?? '').trim();
      return attempt({ stream_url: String(data.get('url')), ...(name && { title: name }) });
    },
  },
    el('h3', {}, 'Or an address'),
    field('Address of a video', el('input', { name: 'url', type: 'url', required: true, pattern: 'https://.*',
      placeholder: 'https://…' }),
      'MP4 or WebM, by https. The server never opens it.'),
    field('Title', el('input', { name: 'title', maxlength: 200 })),
    el('div', {}, el('button', { type: 'submit' }, 'Use this address')),
  );
  const dialog = openDialog(title, { class: 'wide' },
    el('div', { class: 'stack' },
      el('div', { class: 'row between' },
        el('h2', {}, title),
        iconButton('close', 'Close', { onclick: () => dialog.close() })),
      search, movieList, status,
      (role === 'host' || role === 'moderator') && address,
    ),
  );
  movieList.append(el('li', { class: 'quiet', role: 'status' }, 'One moment…'));
  load();
}

function movieButton(movie: Movie, onclick: () => void): HTMLElement {
  const poster = el('span', { class: 'poster' }, icon('film'));
  if (movie.poster_url) showPoster(poster, movie.poster_url);
  return el('button', { type: 'button', class: 'movie', onclick },
    poster,
    el('span', { class: 'name' }, movie.title),
    el('span', { class: 'quiet small' }, `${movie.year} · ${movie.runtime_minutes} min`),
  );
}
