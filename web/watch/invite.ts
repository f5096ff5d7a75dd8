import type { LiveRoom } from 'watchparty-client/live';
import { el, field, openDialog, toast } from './dom.js';
import { api, explain } from './session.js';

/** The dialog in which people are brought into a room: by its link, or by email. */
export function invite(room: LiveRoom, roomID: string): void {
  const link = `${location.origin}${location.pathname}?room=${roomID}`;
  const address = el('input', { name: 'link', value: link, readonly: true, onfocus: () => address.select() });
  const status = el('p', { class: 'problem', role: 'alert' });
  const sent = el('p', { role: 'status' });
  const email = el('input', { name: 'email', type: 'email', required: true, maxlength: 254, autocomplete: 'off',
    placeholder: 'friend@example.org' });
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Send the invitation');
  const form = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      submit.disabled = true;
      status.textContent = sent.textContent = '';
      api.POST('/rooms/{room_id}/invitations', {
        params: { path: { room_id: roomID } }, body: { email: email.value.trim() },
      }).then(() => {
        sent.textContent = `The invitation to ${email.value.trim()} is on its way.`;
        form.reset();
      }, (error) => { status.textContent = explain(error); }).finally(() => { submit.disabled = false; });
    },
  },
    field('Or by email', email),
    status, sent,
    el('div', { class: 'row end' }, submit),
  );
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      toast('The link is copied.');
    } catch { // not allowed, or not by https
      address.select();
    }
  };
  const dialog = openDialog('Invite people', {}, el('div', { class: 'stack' },
    el('h2', {}, 'Invite people'),
    field('The link to this room', address),
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => void copy() }, 'Copy the link')),
    room.place?.permissions.includes('invite') && form,
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Close')),
  ));
}
