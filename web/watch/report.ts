import type { components } from 'watchparty-client';
import { el, field, openDialog, toast } from './dom.js';
import { api, explain } from './session.js';

type Kind = components['schemas']['AbuseKind'];

const kinds: Record<Kind, string> = {
  spam: 'Advertisements or spam',
  harassment: 'Harassment',
  hate: 'Hate',
  sexual: 'Sexual content',
  violence: 'Violence',
  illegal: 'Something illegal',
  other: 'Something else',
};

/** The dialog in which a person or a message is reported to the admins. */
export function report(title: string, target: { username: string } | { message_id: string }): void {
  const status = el('p', { class: 'problem', role: 'alert' });
  const submit = el('button', { type: 'submit', class: 'primary' }, 'Report');
  const form = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      submit.disabled = true;
      const data = new FormData(form);
      const text = String(data.get('text') ?? '').trim();
      api.POST('/abuse-reports', { body: { ...target, kind: data.get('kind') as Kind, ...(text && { text }) } })
        .then(() => {
          dialog.close();
          toast('Thank you. The admins will look at it.');
        }, (error) => { status.textContent = explain(error); })
        .finally(() => { submit.disabled = false; });
    },
  },
    el('h2', {}, title),
    field('What is wrong', el('select', { name: 'kind' },
      ...Object.entries(kinds).map(([value, label]) => el('option', { value }, label)))),
    field('What the admins should know', el('textarea', { name: 'text', rows: 3, maxlength: 1000 })),
    el('p', { class: 'quiet small' }, 'Only admins see who reported it.'),
    status,
    el('div', { class: 'row end' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), submit),
  );
  const dialog = openDialog(title, {}, form);
}
