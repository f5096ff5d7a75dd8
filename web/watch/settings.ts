import type { components } from 'watchparty-client';
import type { LiveRoom } from 'watchparty-client/live';
import { el, field, openDialog } from './dom.js';
import { api, changes, explain } from './session.js';

type Change = components['schemas']['UpdateRoomRequest'];

/** The dialog in which a host changes who may do what. */
export function editSettings(room: LiveRoom, roomID: string): void {
  const settings = room.room;
  if (!settings) return;
  const choice = (name: string, chosen: string, options: Record<string, string>) => el('select', { name },
    ...Object.entries(options).map(([value, label]) => el('option', { value, ...(value === chosen && {
      selected: true }) }, label)));
  const circles = { host: 'Only you', moderators: 'You and the moderators', everyone: 'Everyone' };
  const status = el('p', { class: 'problem', role: 'alert' });
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Save');
  const nowPlaying = el('input', { name: 'now_playing', type: 'checkbox', disabled: true });
  const form = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      const change = changes(shown, values());
      if (Object.keys(change).length === 0) return dialog.close();
      submit.disabled = true;
      api.PATCH('/rooms/{room_id}', { params: { path: { room_id: roomID } }, body: change })
        .then(() => dialog.close(), (error) => { status.textContent = explain(error); })
        .finally(() => { submit.disabled = false; });
    },
  },
    el('h2', {}, 'Settings of the room'),
    field('Name', el('input', { name: 'name', required: true, maxlength: 100, value: settings.name,
      autocomplete: 'off' })),
    field('Who controls the movie', choice('control', settings.control, circles)),
    field('Who adds to the queue', choice('queue', settings.queue, circles)),
    field('What comes next', choice('queue_order', settings.queue_order, {
      manual: 'The first in the queue', votes: 'What has the most votes',
    })),
    field('Whom the room waits for', choice('wait_policy', settings.wait_policy, {
      auto: 'Everyone, while at most 8 are here', everyone: 'Everyone', host: 'Only you', nobody: 'Nobody',
    })),
    el('div', { class: 'stack-small' },
      el('label', { class: 'row' }, nowPlaying, 'Show publicly what this room plays'),
      el('span', { class: 'hint' }, 'Other sites can show it without signing in. Private rooms never show it.'),
    ),
    status,
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), submit),
  );
  const values = () => ({ ...Object.fromEntries(new FormData(form)), now_playing: nowPlaying.checked }) as Change;
  const shown = values();
  const dialog = openDialog('Settings of the room', {}, form);
  api.GET('/rooms/{room_id}', { params: { path: { room_id: roomID } } }).then(({ data }) => {
    shown.now_playing = nowPlaying.checked = data.data.now_playing;
    nowPlaying.disabled = false; // until then it is not changed
  }, (error) => { status.textContent = explain(error); });
}
