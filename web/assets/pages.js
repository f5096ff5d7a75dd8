// What the pages behind the links in emails do. Nothing changes before a person presses a button: programs that check
// emails open links too.
'use strict';

const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? new URLSearchParams(location.search).get('token') ?? '';
const form = document.querySelector('form');
const status = document.querySelector('[role="status"]');

async function ask(path, body, accessToken) {
  const headers = { 'Content-Type': 'application/json' };
  if (accessToken) headers.Authorization = 'Bearer ' + accessToken;
  const response = await fetch('/api' + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = response.status === 204 ? {} : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? answer.title), { fields: answer.errors ?? [] });
  return answer;
}

function say(text, bad = false) {
  status.textContent = text;
  status.classList.toggle('bad', bad);
}

function complain(error) {
  const wrong = error.fields ?? [];
  for (const input of form.querySelectorAll('input')) {
    input.setAttribute('aria-invalid', String(wrong.some((f) => f.field === input.name)));
  }
  const named = wrong.filter((f) => form.elements[f.field]).map((f) => `${form.elements[f.field].labels[0].innerText.trim()} ${f.message}.`);
  say(named.join(' ') || error.message || 'That did not work. Try again in a moment.', true);
}

function done(text) {
  form.hidden = true;
  say(text);
}

// value is what a field holds; one that is hidden is not asked for.
const value = (name) => form.elements[name].value;

const actions = {
  'verify-email': async () => {
    await ask('/auth/verify-email', { token });
    done('Thank you. Your address is confirmed.');
  },
  'password-reset': async () => {
    await ask('/auth/password-reset/confirm', { token, password: value('password') });
    done('Your new password is set. You can sign in with it now.');
  },
  accept: async () => {
    const person = { email: value('email'), password: value('password') };
    const path = form.classList.contains('new') ? '/auth/register' : '/auth/login';
    if (path === '/auth/register') person.username = value('username');
    const { data: { access_token: accessToken, refresh_token: refreshToken } } = await ask(path, person);
    signUp(false); // there is an account now, whatever becomes of the invitation
    try {
      const { data: room } = await ask('/invitations/accept', { token }, accessToken);
      done(`You are in: “${room.name}” waits for you.`);
    } finally {
      await ask('/auth/logout', { refresh_token: refreshToken }).catch(() => {});
    }
  },
  decline: async () => {
    await ask('/invitations/decline', { token });
    done('You have declined. Nobody else can use this invitation.');
  },
  unsubscribe: async () => {
    await ask('/invitations/unsubscribe', { token });
    offer('resubscribe', 'I want them after all');
    say('Done. This address gets no more invitations.');
  },
  resubscribe: async () => {
    await ask('/invitations/resubscribe', { token });
    offer('unsubscribe', 'Stop invitations');
    say('Done. This address gets invitations again.');
  },
  report: async () => {
    const { data } = await ask('/reports/view', { token });
    const report = new DOMParser().parseFromString(data.html, 'text/html').querySelector('main');
    const table = document.createElement('a');
    table.href = URL.createObjectURL(new Blob([data.csv], { type: 'text/csv' }));
    table.download = data.filename;
    table.textContent = 'Download the days as CSV';
    report.querySelector('header').append(table);
    document.title = `${report.querySelector('h1').textContent} · WatchParty`;
    document.querySelector('main').replaceWith(report);
  },
};

// offer makes the form's button do something else.
function offer(action, label) {
  form.dataset.action = action;
  form.querySelector('[type="submit"]').textContent = label;
}

async function act(name) {
  const buttons = form.querySelectorAll('button');
  buttons.forEach((b) => { b.disabled = true; });
  say('One moment…');
  try {
    await actions[name]();
  } catch (error) {
    complain(error);
  } finally {
    buttons.forEach((b) => { b.disabled = false; });
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  act(form.dataset.action);
});
form.querySelector('[data-action="decline"]')?.addEventListener('click', () => act('decline'));

const other = form.querySelector('[data-switch]');
other?.addEventListener('click', () => signUp(!form.classList.contains('new')));

// signUp asks for what a new account needs, or only for what one that is there is known by.
function signUp(isNew) {
  form.classList.toggle('new', isNew);
  form.querySelector('.only-new').hidden = !isNew;
  form.elements.username.required = isNew;
  other.textContent = isNew ? 'I have an account' : 'I have no account yet';
  form.querySelector('[type="submit"]').textContent = isNew ? 'Sign up and enter' : 'Sign in and enter';
}

// invite shows what the invitation is to, and fills in the address that it went to.
async function invite() {
  try {
    const { data } = await ask('/invitations/lookup', { token });
    const people = data.room.participants === 1 ? '1 person is' : `${data.room.participants} people are`;
    document.querySelector('#about').textContent = `${data.inviter.username} invites you to “${data.room.name}”. ${people} there now.`;
    form.elements.email.value = data.email;
  } catch (error) {
    form.hidden = true;
    complain(error);
  }
}

if (!token) {
  form.hidden = true;
  say('This link is not whole. Open it once more from the mail, or copy all of it.', true);
} else if (form.dataset.action === 'accept') {
  invite();
} else if (form.dataset.action === 'report') {
  act('report');
}
