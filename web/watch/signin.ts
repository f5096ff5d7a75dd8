import { el, field } from './dom.js';
import { api, explain } from './session.js';

/** The accounts of the demo, which the page gets only in development. */
interface Demo {
  accounts: string[];
  password: string;
}

/** Asks who is there, and says why, if there is a reason. It resolves when somebody is signed in. */
export function signIn(main: HTMLElement, reason = ''): Promise<void> {
  return new Promise((resolve) => {
    const show = (isNew: boolean, reason = '') => {
      main.replaceChildren(form(isNew, () => show(!isNew), resolve, reason));
      main.querySelector('input')?.focus();
    };
    show(false, reason);
  });
}

function form(isNew: boolean, other: () => void, done: () => void, reason: string): HTMLElement {
  const status = el('p', { class: 'problem', role: 'alert' }, reason);
  const input = (name: string, properties: Record<string, string | number | boolean>) =>
    el('input', { name, required: true, ...properties });
  const submit = el('button', { type: 'submit', class: 'primary' }, isNew ? 'Create the account' : 'Sign in');
  const values = el('form', {
    class: 'stack',
    onsubmit: (event) => {
      event.preventDefault();
      const data = new FormData(values);
      const text = (name: string) => String(data.get(name) ?? '');
      void attempt(submit, status, async () => {
        const person = { email: text('email'), password: text('password') };
        if (isNew) await api.POST('/auth/register', { body: { ...person, username: text('username') } });
        else await api.POST('/auth/login', { body: person });
        done();
      });
    },
  },
    isNew && field('Username', input('username', { autocomplete: 'username', minlength: 3, maxlength: 32,
      pattern: '[A-Za-z0-9][A-Za-z0-9_.\\-]*' }), 'Letters, digits, dots, dashes and underscores. Others see it.'),
    field('Email address', input('email', { type: 'email', autocomplete: 'email' })),
    field('Password', input('password', {
      type: 'password', autocomplete: isNew ? 'new-password' : 'current-password', maxlength: 1024,
      ...(isNew && { minlength: 10 }),
    }), isNew ? 'At least 10 characters.' : undefined),
    submit,
    status,
  );
  return el('section', { class: 'card narrow' },
    el('h1', {}, 'Watch together'),
    el('p', { class: 'quiet' }, 'Movies in one room, at the same moment for everyone.'),
    values,
    el('button', { type: 'button', class: 'plain', onclick: other }, isNew ?
      'I have an account' : 'I have no account yet'),
    !isNew && demoAccounts(done),
  );
}

async function attempt(button: HTMLButtonElement, status: HTMLElement, action: () => Promise<void>): Promise<void> {
  button.disabled = true;
  status.textContent = '';
  try {
    await action();
  } catch (error) {
    status.textContent = explain(error);
  } finally {
    button.disabled = false;
  }
}

function demoAccounts(done: () => void): HTMLElement | false {
  const text = document.body.dataset.demo;
  if (!text) return false;
  const { accounts, password } = JSON.parse(text) as Demo;
  const status = el('p', { class: 'problem', role: 'alert' });
  const buttons = accounts.map((email) => {
    const name = email.split('@')[0] ?? email;
    const button = el('button', {
      type: 'button',
      onclick: () => void attempt(button, status, async () => {
        await api.POST('/auth/login', { body: { email, password } });
        done();
      }),
    }, name.charAt(0).toUpperCase() + name.slice(1));
    return button;
  });
  return el('div', { class: 'demo stack' },
    el('p', { class: 'quiet' }, 'Or sign in with a demo account:'),
    el('div', { class: 'row wrap' }, ...buttons),
    status,
  );
}
