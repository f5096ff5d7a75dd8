// What the pages behind the links in emails do. Nothing changes before a person presses a button: programs that check
// emails open links too.
'use strict';

const texts = {
  en: {
    email: 'Email address', password: 'Password', username: 'Username', newPassword: 'New password',
    wait: 'One moment…', failed: 'That did not work. Try again in a moment.',
    broken: 'This link is incomplete. Open it from the email again, or copy all of it.',
    voidLink: 'This link was used already, or has expired.',
    open: 'Open WatchParty', signIn: 'Sign in', newLink: 'Send a new link',
    confirmed: 'Thank you. Your address is confirmed.',
    confirmAgain: 'This link was used already, or has expired. We can send you a new one.',
    confirmSent: 'If your address is not confirmed yet, an email with a new link is on its way.',
    resetDone: 'Your new password is set. You can sign in with it now.',
    resetAgain: 'This link was used already, or has expired. Enter your address for a new one.',
    resetSent: 'If there is an account with this address, an email with a new link is on its way.',
    inRoom: (room) => `You have joined “${room}”.`,
    enterRoom: 'Open the room',
    declined: 'You have declined. Nobody else can use this invitation.',
    invitationVoid: 'This invitation was used, was withdrawn, or has expired. If you have accepted it, the room is in your ' +
      'list. If not, ask whoever invited you for a new one.',
    invites: (inviter, room, people) => `${inviter} invites you to “${room}”. ` +
      `${people === 1 ? '1 person is' : `${people} people are`} there now.`,
    haveAccount: 'I have an account', haveNoAccount: 'I have no account yet',
    signUpAndEnter: 'Sign up and enter', signInAndEnter: 'Sign in and enter',
    wanted: 'Get invitations again', stop: 'Stop invitations',
    stopped: 'Done. This address gets no more invitations.', resumed: 'Done. This address gets invitations again.',
    csv: 'Download the days as CSV',
  },
  de: {
    email: 'E-Mail-Adresse', password: 'Passwort', username: 'Benutzername', newPassword: 'Neues Passwort',
    wait: 'Einen Moment…', failed: 'Das hat nicht geklappt. Versuch es gleich noch einmal.',
    broken: 'Dieser Link ist nicht vollständig. Öffne ihn noch einmal aus der E-Mail, oder kopiere ihn ganz.',
    voidLink: 'Dieser Link wurde schon benutzt oder ist abgelaufen.',
    open: 'WatchParty öffnen', signIn: 'Anmelden', newLink: 'Neuen Link schicken',
    confirmTitle: 'Bestätige deine Adresse', confirm: 'Bestätigen',
    confirmAbout: 'Ein Klick, und die Adresse deines WatchParty-Kontos ist bestätigt.',
    confirmed: 'Danke. Deine Adresse ist bestätigt.',
    confirmAgain: 'Dieser Link wurde schon benutzt oder ist abgelaufen. Wir können dir einen neuen schicken.',
    confirmSent: 'Falls deine Adresse noch nicht bestätigt ist, ist eine E-Mail mit einem neuen Link unterwegs.',
    resetTitle: 'Wähle ein neues Passwort', resetAbout: 'Überall sonst wirst du abgemeldet.',
      setPassword: 'Passwort setzen',
    resetDone: 'Dein neues Passwort gilt. Du kannst dich jetzt damit anmelden.',
    resetAgain: 'Dieser Link wurde schon benutzt oder ist abgelaufen. Gib deine Adresse ein, um einen neuen zu bekommen.',
    resetSent: 'Falls es ein Konto mit dieser Adresse gibt, ist eine E-Mail mit einem neuen Link unterwegs.',
    invitedTitle: 'Du bist eingeladen', invitedAbout: 'Jemand möchte einen Film mit dir schauen.',
      decline: 'Nein, danke',
    inRoom: (room) => `Du bist dabei: „${room}“ wartet auf dich.`,
    enterRoom: 'Raum öffnen',
    declined: 'Du hast abgelehnt. Niemand sonst kann diese Einladung benutzen.',
    invitationVoid: 'Diese Einladung wurde benutzt, zurückgezogen oder ist abgelaufen. Hast du sie angenommen, steht der ' +
      'Raum in deiner Liste. Wenn nicht, bitte um eine neue.',
    invites: (inviter, room, people) => `${inviter} lädt dich in „${room}“ ein. ` +
      `${people === 1 ? 'Gerade ist 1 Person' : `Gerade sind ${people} Personen`} dort.`,
    haveAccount: 'Ich habe ein Konto', haveNoAccount: 'Ich habe noch kein Konto',
    signUpAndEnter: 'Registrieren und eintreten', signInAndEnter: 'Anmelden und eintreten',
    stopTitle: 'Keine Einladungen mehr?', stop: 'Keine Einladungen mehr',
    stopAbout: 'WatchParty schickt dann keine Einladungen mehr an deine Adresse, gleich wer sie eingibt. E-Mails zu deinem ' +
      'Konto kommen weiterhin.',
    wanted: 'Ich will sie doch', stopped: 'Erledigt. Diese Adresse bekommt keine Einladungen mehr.',
    resumed: 'Erledigt. Diese Adresse bekommt wieder Einladungen.',
    reportTitle: 'Bericht', reportAbout: 'Wie WatchParty benutzt wurde.', showReport: 'Bericht zeigen',
    csv: 'Die Tage als CSV herunterladen',
    // What the API says of fields, by its codes.
    codes: {
      required: 'fehlt', too_short: 'ist zu kurz', too_long: 'ist zu lang', taken: 'ist schon vergeben',
        email: 'ist keine gültige Adresse',
      common: 'ist zu leicht zu erraten', other: 'ist ungültig',
    },
    problems: {
      bad_credentials: 'Adresse oder Passwort stimmen nicht.',
        rate_limited: 'Das war zu oft. Versuch es später noch einmal.',
      email_taken: 'Diese Adresse hat schon ein Konto.', username_taken: 'Dieser Benutzername ist schon vergeben.',
      room_full: 'Der Raum ist voll.', banned: 'Du bist in diesem Raum gesperrt.',
    },
  },
};

const parameters = new URLSearchParams(location.hash.slice(1));
const token = parameters.get('token') ?? new URLSearchParams(location.search).get('token') ?? '';
const say = texts[parameters.get('lang')] ?? texts.en;
const form = document.querySelector('form');
const status = document.querySelector('[role="status"]');
const next = document.querySelector('#next');
/** Where people watch: the page of this service, or the front-end. */
const { home } = document.body.dataset;
const watchesHere = home === '/watch';

if (say !== texts.en) {
  document.documentElement.lang = parameters.get('lang');
  for (const element of document.querySelectorAll('[data-text]')) {
    element.textContent = say[element.dataset.text] ?? element.textContent;
  }
  document.title = `${document.querySelector('h1').textContent} · WatchParty`;
}

async function ask(path, body, accessToken) {
  const headers = { 'Content-Type': 'application/json' };
  if (accessToken) headers.Authorization = 'Bearer ' + accessToken;
  const response = await fetch('/api' + path, { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) });
  const answer = JSON.parse((await response.text()) || '{}');
  if (!response.ok) {
    throw Object.assign(new Error(answer.detail ?? answer.title), { code: answer.code, fields: answer.errors ?? [] });
  }
  return answer;
}

function tell(text, bad = false) {
  status.textContent = text;
  status.classList.toggle('bad', bad);
}

function complain(error) {
  const wrong = error.fields ?? [];
  for (const input of form.querySelectorAll('input')) {
    input.setAttribute('aria-invalid', String(wrong.some((f) => f.field === input.name)));
  }
  const named = wrong.filter((f) => form.elements[f.field]).map((f) => {
    const label = form.elements[f.field].labels[0].innerText.trim();
    return `${label} ${say.codes ? (say.codes[f.code] ?? say.codes.other) : f.message}.`;
  });
  const message = say.problems ? say.problems[error.code] : error.message;
  tell(named.join(' ') || message || say.failed, true);
}

function done(text, label, address) {
  form.hidden = true;
  tell(text);
  if (!label || !address) return;
  const link = document.createElement('a');
  link.className = 'button';
  link.href = address;
  link.textContent = label;
  next.replaceChildren(link);
  next.hidden = false;
}

const value = (name) => form.elements[name].value;

/** The sign-in of this browser, where the page at /watch keeps it. */
function storedToken() {
  try {
    return JSON.parse(localStorage.getItem('watchparty'))?.access_token;
  } catch {
    return undefined;
  }
}

/** Offers what to do with a link that does not work any more: an action, and the fields that it needs. */
function offerAgain(action, text, shown, hidden) {
  for (const label of form.querySelectorAll('label')) {
    const isShown = label.classList.contains(shown);
    if (!isShown && !label.classList.contains(hidden)) continue;
    label.hidden = !isShown;
    label.querySelector('input').required = isShown;
  }
  offer(action, say.newLink);
  tell(text, true);
}

const isVoid = (error) => error.code === 'bad_token';

const actions = {
  'verify-email': async () => {
    try {
      await ask('/auth/verify-email', { token });
    } catch (error) {
      if (!isVoid(error)) throw error;
      return offerAgain('verify-again', say.confirmAgain, storedToken() ? '' : 'only-sign-in', '');
    }
    done(say.confirmed, say.open, home);
  },
  'verify-again': async () => {
    let access = storedToken();
    let session;
    if (value('email')) {
      ({ data: session } = await ask('/auth/login', { email: value('email'), password: value('password') }));
      access = session.access_token;
    }
    try {
      await ask('/users/me/email/verification', undefined, access);
    } catch (error) {
      if (error.code !== 'unauthenticated' || session) throw error;
      return offerAgain('verify-again', say.confirmAgain, 'only-sign-in', ''); // the sign-in here has expired
    } finally {
      if (session) await ask('/auth/logout', { refresh_token: session.refresh_token }).catch(() => {});
    }
    done(say.confirmSent, say.open, home);
  },
  'password-reset': async () => {
    try {
      await ask('/auth/password-reset/confirm', { token, password: value('password') });
    } catch (error) {
      if (!isVoid(error)) throw error;
      return offerAgain('reset-again', say.resetAgain, 'only-again', 'only-reset');
    }
    done(say.resetDone, say.signIn, home);
  },
  'reset-again': async () => {
    await ask('/auth/password-reset', { email: value('email') });
    done(say.resetSent);
  },
  accept: async () => {
    const person = { email: value('email'), password: value('password') };
    const path = form.classList.contains('new') ? '/auth/register' : '/auth/login';
    if (path === '/auth/register') person.username = value('username');
    const { data: { access_token: accessToken, refresh_token: refreshToken } } = await ask(path, person);
    signUp(false); // there is an account now, whatever becomes of the invitation
    let entered = false;
    try {
      const { data: room } = await ask('/invitations/accept', { token }, accessToken);
      entered = watchesHere;
      done(say.inRoom(room.name), say.enterRoom, watchesHere ? `${home}?room=${room.id}` : home);
    } catch (error) {
      if (!isVoid(error)) throw error;
      done(say.invitationVoid, say.open, home);
    } finally {
      if (!entered) await ask('/auth/logout', { refresh_token: refreshToken }).catch(() => {});
    }
    if (!entered) return;
    localStorage.setItem('watchparty', JSON.stringify({ access_token: accessToken, refresh_token: refreshToken }));
    location.assign(next.querySelector('a').href);
  },
  decline: async () => {
    await ask('/invitations/decline', { token });
    done(say.declined);
  },
  unsubscribe: async () => {
    await ask('/invitations/unsubscribe', { token });
    offer('resubscribe', say.wanted);
    tell(say.stopped);
  },
  resubscribe: async () => {
    await ask('/invitations/resubscribe', { token });
    offer('unsubscribe', say.stop);
    tell(say.resumed);
  },
  report: async () => {
    const { data } = await ask('/reports/view', { token });
    const report = new DOMParser().parseFromString(data.html, 'text/html').querySelector('main');
    const table = document.createElement('a');
    table.href = URL.createObjectURL(new Blob([data.csv], { type: 'text/csv' }));
    table.download = data.filename;
    table.textContent = say.csv;
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
  tell(say.wait);
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

// signUp shows the fields for a new account, or those for signing in to an existing one.
function signUp(isNew) {
  form.classList.toggle('new', isNew);
  form.querySelector('.only-new').hidden = !isNew;
  form.elements.username.required = isNew;
  other.textContent = isNew ? say.haveAccount : say.haveNoAccount;
  form.querySelector('[type="submit"]').textContent = isNew ? say.signUpAndEnter : say.signInAndEnter;
}

// invite shows what the invitation is to, and fills in the address that it went to.
async function invite() {
  try {
    const { data } = await ask('/invitations/lookup', { token });
    document.querySelector('#about').textContent = say.invites(data.inviter.username, data.room.name,
      data.room.participants);
    form.elements.email.value = data.email;
  } catch (error) {
    if (isVoid(error)) return done(say.invitationVoid, say.open, home);
    form.hidden = true;
    complain(error);
  }
}

if (!token) {
  form.hidden = true;
  tell(say.broken, true);
} else if (form.dataset.action === 'accept') {
  invite();
} else if (form.dataset.action === 'report') {
  act('report');
}
