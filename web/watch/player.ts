import { type LiveRoom, type Members, type PlaybackState, type View, type Watching, watchTogether } from 'watchparty-client/live';
import { el, icon, iconButton, relabel, setProperties, setText, toast } from './dom.js';
import { clockTime, countdown, list, spokenTime } from './format.js';
import { explain } from './session.js';

/** How often figures change that people read. */
const figureGap = 500;
const rates = [0.5, 0.75, 1, 1.25, 1.5, 2];
/** The keys of keyboards and headsets that the page handles. */
const mediaKeys = ['play', 'pause', 'seekbackward', 'seekforward'] as const;

/** The movie with its controls. */
export class Player {
  readonly element: HTMLElement;
  readonly #video = el('video', { playsinline: true, tabindex: -1 });
  readonly #watching: Watching;
  readonly #play = iconButton('play', 'Play', { onclick: () => this.toggle() });
  readonly #back = iconButton('back', 'Back 10 seconds', { onclick: () => this.seekBy(-10_000) });
  readonly #forward = iconButton('forward', 'Forward 10 seconds', { onclick: () => this.seekBy(10_000) });
  readonly #skip = iconButton('skip', 'Skip this movie', { onclick: () => this.#send({ t: 'skip' }) });
  readonly #position = el('input', {
    type: 'range', class: 'position', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Position in the movie',
    oninput: () => this.#drag(), onchange: () => this.#drop(),
  });
  readonly #times = el('span', { class: 'times' }, '0:00');
  readonly #rate = el('select', {
    'aria-label': 'Speed', onchange: () => this.#send({ t: 'rate', rate: Number(this.#rate.value) }),
  }, ...rates.map((rate) => el('option', { value: rate, ...(rate === 1 && { selected: true }) }, `${rate}×`)));
  readonly #mute = iconButton('loud', 'Mute', { onclick: () => this.mute() });
  readonly #volume = el('input', {
    type: 'range', class: 'volume', min: 0, max: 1, step: 0.05, value: 1, 'aria-label': 'Volume',
    oninput: () => { this.#video.volume = Number(this.#volume.value); this.#video.muted = false; },
  });
  readonly #captions = iconButton('captions', 'Subtitles', { hidden: true, onclick: () => this.captions() });
  readonly #whole = iconButton('whole', 'Whole screen', { onclick: () => this.whole() });
  readonly #controls: HTMLElement;
  readonly #curtain = el('div', { class: 'curtain' });
  readonly #notice = el('p', { class: 'notice', role: 'status' });
  readonly #sync = el('span', { class: 'sync' });
  readonly #left = el('p', { class: 'countdown', role: 'timer' });
  readonly #title = el('h2', { class: 'line' });
  #dragged = false;
  /** Where the person wants to go, until the room has answered: the next step goes on from there. */
  #sought: number | undefined;
  #curtainKey = '';
  #figuresAt = 0;

  /** `hasNext` says whether there is a movie to begin with. */
  constructor(
    private readonly room: LiveRoom, private readonly choose: () => void, private readonly hasNext: () => boolean,
  ) {
    const mayNot = el('p', { class: 'quiet may-not' });
    this.#controls = el('div', { class: 'controls', role: 'group', 'aria-label': 'Playback' },
      this.#position,
      el('div', { class: 'row' },
        this.#play, this.#back, this.#forward, this.#times,
        el('span', { class: 'grow' }),
        this.#mute, this.#volume, this.#rate, this.#captions, this.#skip, this.#whole,
      ),
    );
    const screen = el('div', { class: 'screen' }, this.#video, this.#curtain, this.#notice);
    this.element = el('section', { class: 'player', 'aria-label': 'Movie' },
      screen, this.#controls,
      el('div', { class: 'row between below' }, this.#title, this.#sync),
      mayNot,
    );
    this.#watching = watchTogether(this.#video, room, { onView: (view) => this.#show(view) });
    for (const name of ['volumechange', 'play', 'pause'] as const) this.#video.addEventListener(name, () =>
      this.#render());
    this.#video.addEventListener('click', () => this.toggle());
    for (const name of ['state', 'place', 'members', 'phase', 'loss', 'people', 'room', 'degraded'] as const) {
      room.on(name, () => this.#render());
    }
    this.#mediaKeys();
    this.#render();
  }

  get waitForMe(): boolean {
    return this.#watching.waitForMe;
  }

  set waitForMe(value: boolean) {
    this.#watching.waitForMe = value;
  }

  stop(): void {
    this.#watching.stop();
    this.#video.removeAttribute('src');
    this.#video.load();
    if (!('mediaSession' in navigator)) return;
    navigator.mediaSession.metadata = null;
    navigator.mediaSession.playbackState = 'none';
    for (const key of mediaKeys) navigator.mediaSession.setActionHandler(key, null);
  }

  /** Shows what depends on the queue. */
  refresh(): void {
    this.#renderCurtain(this.#watching.view);
  }

  get mayControl(): boolean {
    return this.room.place?.permissions.includes('control_playback') ?? false;
  }

  /** What a person asks for with the one button. */
  toggle(): void {
    const { state } = this.room;
    if (this.#watching.view.obstacle === 'autoplay') return this.#watching.catchUp();
    if (!state || state.state === 'idle') return;
    if (!this.mayControl) return toast(this.#whoControls());
    const plays = state.state === 'playing' || (state.state === 'waiting' && state.wait?.then_play);
    if (plays) this.#send({ t: 'pause', position_ms: this.#shown(state) });
    else this.#send({ t: 'play' });
  }

  seekBy(milliseconds: number): void {
    const { state } = this.room;
    if (!state || state.state === 'idle') return;
    if (!this.mayControl) return toast(this.#whoControls());
    const position = (this.#sought ?? this.#watching.view.position ?? state.position_ms) + milliseconds;
    this.#seekTo(Math.round(Math.min(Math.max(position, 0), this.#duration(state) || Infinity)));
  }

  #seekTo(position: number): void {
    this.#sought = position;
    void this.#send({ t: 'seek', position_ms: position }).then(() => {
      if (this.#sought === position) this.#sought = undefined;
    });
  }

  mute(): void {
    this.#video.muted = !this.#video.muted;
  }

  whole(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.element.requestFullscreen().catch(() => toast('This browser has no full screen.'));
  }

  /** Goes through the languages of the movie, and none. The video also has the tracks of the movies before. */
  captions(): void {
    const languages = this.room.state?.media?.subtitles.map(({ language }) => language) ?? [];
    if (languages.length === 0) return toast('This movie has no subtitles.');
    const all = [...this.#video.textTracks];
    const tracks = all.filter(({ language }) => languages.includes(language));
    const shown = tracks.findIndex(({ mode }) => mode === 'showing');
    for (const track of all) track.mode = 'disabled';
    const next = tracks[shown + 1];
    if (next) next.mode = 'showing';
    toast(next ? `Subtitles: ${next.label}` : 'No subtitles');
  }

  #send(command: Parameters<LiveRoom['command']>[0]): Promise<void> {
    return this.room.command(command).then(() => undefined, (error) => {
      if (error.code !== 'superseded') toast(explain(error));
    });
  }

  /** The position that the person sees, if the player follows; else the room's. */
  #shown(state: PlaybackState): number {
    const { error, position } = this.#watching.view;
    return Math.max(Math.round(error === undefined ? (position ?? state.position_ms) : this.#video.currentTime * 1000),
      0);
  }

  #duration(state: PlaybackState): number {
    const own = this.#video.duration;
    return state.duration_ms ?? (Number.isFinite(own) ? own * 1000 : 0);
  }

  #drag(): void {
    this.#dragged = true;
    this.#showTimes(Number(this.#position.value) * 1000);
  }

  #drop(): void {
    this.#dragged = false;
    this.#seekTo(Number(this.#position.value) * 1000);
  }

  #mediaKeys(): void {
    if (!('mediaSession' in navigator)) return;
    const handlers: Record<typeof mediaKeys[number], () => void> = {
      play: () => this.toggle(),
      pause: () => this.toggle(),
      seekbackward: () => this.seekBy(-10_000),
      seekforward: () => this.seekBy(10_000),
    };
    for (const key of mediaKeys) navigator.mediaSession.setActionHandler(key, handlers[key]);
  }

  /** Called several times a second. */
  #show(view: View): void {
    const now = performance.now();
    if (this.#watching === undefined) return; // while it is being made
    this.#renderCurtain(view);
    setText(this.#notice, this.#noticeText());
    if (now - this.#figuresAt < figureGap) return;
    this.#figuresAt = now;
    this.#renderSync(view);
    if (!this.#dragged && view.position !== undefined) {
      this.#position.value = String(Math.floor(view.position / 1000));
      this.#showTimes(view.position);
    }
  }

  #showTimes(position: number): void {
    const { state } = this.room;
    const duration = state ? this.#duration(state) : 0;
    setText(this.#times, duration ? `${clockTime(position)} / ${clockTime(duration)}` : clockTime(position));
    this.#position.max = String(Math.floor(duration / 1000));
    this.#position.setAttribute('aria-valuetext', spokenTime(position));
    this.#position.style.setProperty('--part', duration ? String(position / duration) : '0');
  }

  #render(): void {
    const { state } = this.room;
    const idle = !state || state.state === 'idle';
    const may = this.mayControl && !idle;
    const plays = state?.state === 'playing' || (state?.state === 'waiting' && state.wait?.then_play);
    relabel(this.#play, plays ? 'pause' : 'play', plays ? 'Pause' : 'Play');
    for (const control of [this.#play, this.#back, this.#forward, this.#skip, this.#position, this.#rate]) {
      control.disabled = !may;
    }
    this.#controls.hidden = idle;
    if (state) {
      if (!rates.includes(state.rate)) this.#addRate(state.rate);
      this.#rate.value = String(state.rate);
    }
    relabel(this.#mute, this.#video.muted ? 'muted' : 'loud', this.#video.muted ? 'Sound on' : 'Mute');
    this.#captions.hidden = (state?.media?.subtitles.length ?? 0) === 0;
    setText(this.#title, state?.media?.title ?? '');
    this.#title.hidden = !state?.media;
    setText(this.element.querySelector('.may-not')!, idle || this.mayControl ? '' : this.#whoControls());
    if (!idle && 'mediaSession' in navigator) {
      navigator.mediaSession.metadata = new MediaMetadata({ title: state.media?.title ?? '',
        artist: this.room.room?.name ?? '' });
      navigator.mediaSession.playbackState = state.state === 'playing' ? 'playing' : 'paused';
    }
    this.#renderCurtain(this.#watching?.view);
    setText(this.#notice, this.#noticeText());
  }

  #addRate(rate: number): void {
    if (![...this.#rate.options].some(({ value }) => value === String(rate))) {
      this.#rate.append(el('option', { value: rate }, `${rate}×`));
    }
  }

  #whoControls(): string {
    switch (this.room.room?.control) {
      case 'host': return 'The host controls the movie here.';
      case 'everyone': return 'You are muted, so the others control the movie.';
      default: return 'The host and the moderators control the movie here.';
    }
  }

  #names(people: Members['waiting_for']): string[] {
    const me = this.room.place?.user.id;
    return people.map((person) => (person.id === me ? 'you' : person.display_name));
  }

  #noticeText(): string {
    const { phase, loss, state, members, degraded } = this.room;
    if (loss?.reason === 'rate_limited') return 'You have this room open in too many windows. Close some; connecting again…';
    if (loss?.reason === 'unavailable') return 'The server is busy. Reconnecting…';
    if (phase === 'connecting' && loss) return 'Not connected yet. Trying again… ' +
      'If this continues, a proxy may be blocking WebSockets.';
    const goesOn = state?.state === 'playing' ? ' The movie goes on.' : '';
    if (phase === 'reconnecting') return `The connection was lost.${goesOn} Reconnecting…`;
    if (degraded) return `The server has lost its database.${goesOn} Nobody can control the movie now.`;
    if (state?.state !== 'waiting') return this.#subtitlesText();
    if (members.waiting_for.length === 0) return 'One moment…';
    const names = this.#names(members.waiting_for);
    return `Waiting for ${list(names, members.waiting - members.waiting_for.length)}`;
  }

  /** Says if the subtitles that the person has chosen are missing. */
  #subtitlesText(): string {
    const chosen = [...this.#video.textTracks].find(({ mode }) => mode === 'showing');
    const isMissing = chosen && this.#watching?.view.failedSubtitles.includes(chosen.language);
    return isMissing ? `The subtitles cannot be loaded: ${chosen.label}` : '';
  }

  /** How long it is until the movie starts by itself, for a party; undefined unless it is going to. */
  #untilStart(): number | undefined {
    const { state } = this.room;
    if (state?.state !== 'paused' || !state.starts_at_ms) return undefined;
    const left = state.starts_at_ms - (this.room.serverTime() ?? Date.now());
    return left > 0 ? left : undefined;
  }

  /** What lies over the movie when it cannot be seen. */
  #renderCurtain(view: View | undefined): void {
    const { state } = this.room;
    const left = this.#untilStart();
    if (left !== undefined) setText(this.#left, countdown(left));
    const key = !state ? 'connecting'
      : state.state === 'idle' ? `idle ${this.mayControl} ${state.cause === 'ended'} ${this.hasNext()}`
      : view?.obstacle ?? (state.media?.stream_url === null ? 'gone' : left !== undefined ? 'party' : view?.gaveUp ? 'behind' : view?.stalled ?
        'stalled' : '');
    if (key === this.#curtainKey) return;
    this.#curtainKey = key;
    this.#curtain.replaceChildren(...this.#curtainContent(key.split(' ')));
    this.#curtain.hidden = key === '';
  }

  #curtainContent([key, may, ended, hasNext]: string[]): Node[] {
    const again = (label: string) =>
      el('button', { type: 'button', class: 'primary row', onclick: () => this.#watching.catchUp() }, icon('play'),
        label);
    switch (key) {
      case 'connecting': return [el('p', { role: 'status' }, 'Connecting…')];
      case 'idle': return [
        icon('film'),
        el('p', {}, ended === 'true' ? 'The movie has ended. What comes next?' : 'Nothing is playing yet.'),
        ...(may !== 'true' ? [el('p', { class: 'quiet' }, this.#whoControls())] : [el('div', {
          class: 'row wrap center' },
          hasNext === 'true' && el('button', {
            type: 'button', class: 'primary row', onclick: () => this.#send({ t: 'play' }),
          }, icon('play'), 'Play'),
          el('button', { type: 'button', class: 'primary', onclick: this.choose }, 'Choose a movie'),
        )]),
      ];
      case 'party': return [el('p', { role: 'status' }, 'The party starts by itself in'), this.#left];
      case 'autoplay': return [el('p', {}, 'Your browser starts videos only after a click.'), again('Watch along')];
      case 'gone': return [el('p', { role: 'status' }, 'This movie can no longer be played.')];
      case 'unplayable': return [el('p', {}, 'Your browser cannot play this stream.'), again('Try again')];
      case 'behind': return [el('p', {}, 'Your player cannot keep up with the room.'), again('Catch up')];
      case 'stalled': return [el('p', { role: 'status' }, 'Loading…')];
      default: return [];
    }
  }

  #renderSync({ error, gaveUp }: View): void {
    const { clock, phase, state } = this.room;
    const size = Math.abs(error ?? 0);
    const how = (error ?? 0) > 0 ? 'behind' : 'ahead';
    const text = phase !== 'open' || error === undefined ? ''
      : size >= 1000 ? `${(size / 1000).toFixed(1)} s ${how}` : `${Math.round(size)} ms ${how}`;
    setText(this.#sync, text && state?.state === 'playing' ? text : '');
    setProperties(this.#sync, {
      'data-quality': gaveUp || size > 400 ? 'poor' : size > 100 ? 'fair' : 'good',
      title: clock ? `Clock ±${Math.ceil(clock.uncertainty)} ms, round trip ${Math.round(clock.delay)} ms` : undefined,
    });
  }
}
