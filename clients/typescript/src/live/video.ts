import type { Media } from './follower.js';

/** What a browser's player does by itself: it may refuse to play without a gesture, or be unable to play. */
export type Obstacle = 'autoplay' | 'unplayable';

/** A video element as a player that follows. */
export class VideoMedia implements Media {
  obstacle: Obstacle | undefined;
  /** The position at the last seek or call of play, in seconds: the player has moved once it shows another one. */
  #still = -1;
  #loads = 0;

  constructor(readonly video: HTMLVideoElement, private readonly changed: () => void) {}

  position(): number {
    return this.video.currentTime * 1000;
  }

  isPaused(): boolean {
    return this.video.paused;
  }

  isReady(): boolean {
    const { seeking, readyState } = this.video;
    return !seeking && readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  isMoving(): boolean {
    return !this.video.paused && this.isReady() && this.video.currentTime !== this.#still;
  }

  seek(position: number): void {
    this.video.currentTime = position / 1000;
    this.#still = this.video.currentTime;
  }

  setRate(rate: number): void {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }

  play(): void {
    if (this.obstacle) return;
    this.#still = this.video.currentTime;
    const stream = this.#loads;
    this.video.play().catch((error: DOMException) => {
      if (stream !== this.#loads) return;
      if (error.name === 'NotAllowedError') this.#stopBy('autoplay');
      else if (error.name === 'NotSupportedError') this.#stopBy('unplayable');
      // AbortError: it was told to pause meanwhile.
    });
  }

  pause(): void {
    this.video.pause();
  }

  /** Has the element play another stream, or none. By default the stream becomes the `src`. */
  load(url: string, how?: (video: HTMLVideoElement, url: string) => void): void {
    this.obstacle = undefined;
    this.#still = -1;
    this.#loads++;
    if (url && how) return how(this.video, url);
    if (url) this.video.src = url;
    else this.video.removeAttribute('src');
    this.video.load();
  }

  fail(): void {
    this.#stopBy('unplayable');
  }

  #stopBy(obstacle: Obstacle): void {
    this.obstacle = obstacle;
    this.changed();
  }
}
