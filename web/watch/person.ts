import { ProblemError } from 'watchparty-client';
import type { LiveRoom, Member } from 'watchparty-client/live';
import { el, openDialog, toast } from './dom.js';
import { report } from './report.js';
import { api, explain } from './session.js';

/** Whether the caller may do to somebody what only higher roles may. */
function outranks(room: LiveRoom, person: Member): boolean {
  return person.role !== 'host' && (room.place?.role === 'host' || person.role === 'viewer');
}

/** The dialog in which a person gives up being in the room, which `Leave` does not: that only closes it. */
export function quitRoom(room: LiveRoom, roomID: string, exit: () => void): void {
  const status = el('p', { class: 'problem', role: 'alert' });
  const params = { path: { room_id: roomID } };
  const act = (request: () => Promise<unknown>, done: string) => request().then(() => {
    exit();
    toast(done);
  }, (error) => {
    status.textContent = explain(error);
    if (error instanceof ProblemError && error.code === 'no_next_host') archive.hidden = false; // a host who is alone
  });
  const quit = () => act(() => api.DELETE('/rooms/{room_id}/me', { params }), 'You are not in that room any more.');
  const archive = el('button', {
    type: 'button', class: 'danger', hidden: true,
    onclick: () => act(() => api.PATCH('/rooms/{room_id}', { params, body: { state: 'archived' } }),
      'The room is archived.'),
  }, 'Archive the room');
  const dialog = openDialog('About you', {}, el('div', { class: 'stack' },
    el('h2', { class: 'line' }, room.place?.user.display_name ?? ''),
    el('p', {}, 'Closing this page does not remove you from the room. If you quit, the room leaves your list and ',
      'you get no reminders of its parties.',
      room.place?.role === 'host' ? ' Another member becomes the host.' : ''),
    status,
    el('div', { class: 'row end' },
      el('button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Close'),
      archive,
      el('button', { type: 'button', class: 'danger', onclick: quit }, 'Quit the room')),
  ));
}

/** The dialog in which somebody is given a role, muted, removed, banned or reported. */
export function managePerson(room: LiveRoom, roomID: string, person: Member): void {
  const { username, display_name: name } = person.user;
  const permissions: readonly string[] = room.place?.permissions ?? [];
  const may = (permission: string) => permissions.includes(permission) && outranks(room, person);
  const status = el('p', { class: 'problem', role: 'alert' });
  const path = { room_id: roomID, username };
  const act = (label: string, done: string, request: () => Promise<unknown>, kind = '') => el('button', {
    type: 'button', class: kind,
    onclick: () => request().then(() => {
      dialog.close();
      toast(done);
    }, (error) => { status.textContent = explain(error); }),
  }, label);
  const mute = (label: string, minutes: number) => act(label, `${name} is muted.`, () =>
    api.POST('/rooms/{room_id}/mutes', {
      params: { path: { room_id: roomID } },
      body: { username, until: new Date(Date.now() + minutes * 60_000).toISOString() },
    }));
  const giveRole = (role: 'moderator' | 'viewer') => api.PATCH('/rooms/{room_id}/participants/{username}', {
    params: { path }, body: { role },
  });
  const title = `@${username}`;
  const dialog = openDialog(title, {}, el('div', { class: 'stack' },
    el('h2', { class: 'line' }, name),
    status,
    el('div', { class: 'stack choices' },
      may('set_role') && (person.role === 'viewer'
        ? act('Make moderator', `${name} is a moderator now.`, () => giveRole('moderator'))
        : act('Make viewer', `${name} is a viewer now.`, () => giveRole('viewer'))),
      may('mute') && !person.muted && mute('Mute for 10 minutes', 10),
      may('mute') && !person.muted && mute('Mute for a day', 24 * 60),
      may('mute') && person.muted && act('Lift the mute', `${name} may write again.`, () =>
        api.DELETE('/rooms/{room_id}/mutes/{username}', { params: { path } })),
      may('kick') && act('Remove from the room', `${name} was removed.`, () =>
        api.DELETE('/rooms/{room_id}/participants/{username}', { params: { path } })),
      may('ban') && act('Ban from the room', `${name} is banned.`, () =>
        api.POST('/rooms/{room_id}/bans', { params: { path: { room_id: roomID } }, body: { username } }), 'danger'),
      el('button', {
        type: 'button',
        onclick: () => {
          dialog.close();
          report(`Report ${name}`, { username });
        },
      }, 'Report to the admins'),
    ),
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Close')),
  ));
}
