import type { PlaybackState } from './messages.js';

export type Subtitles = NonNullable<PlaybackState['media']>['subtitles'];

/**
 * Replaces the subtitles of a video. Browsers take them from other servers only into elements that load their stream by
 * CORS, too, which most streams do not allow. So an element of its own loads them, and their cues go to the video. Files
 * that arrive after the signal are ignored. `failed` is called for each file that cannot be loaded. A language that is
 * shown stays so, also in movies after one without it.
 */
export function setSubtitles(
  video: HTMLVideoElement, subtitles: Subtitles, signal: AbortSignal, failed: (language: string) => void,
): void {
  for (const track of video.textTracks) {
    changeCues(track, () => {
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
    });
  }
  for (const { language, url } of subtitles) {
    const track = findTrack(video, language);
    const loader = document.createElement('video');
    loader.crossOrigin = 'anonymous';
    const element = loader.appendChild(document.createElement('track'));
    element.src = url;
    element.addEventListener('load', () => changeCues(track, () => {
      for (const cue of [...(element.track.cues ?? [])]) track.addCue(cue);
    }), { signal });
    element.addEventListener('error', () => failed(language), { signal });
    element.track.mode = 'hidden'; // which has it loaded
  }
}

/** A track has no cues while it is disabled. Its mode afterwards is that of before: what the person has chosen. */
function changeCues(track: TextTrack, change: () => void): void {
  const { mode } = track;
  if (mode === 'disabled') track.mode = 'hidden';
  change();
  track.mode = mode;
}

/** Tracks cannot be removed: the one of a language is used again. */
function findTrack(video: HTMLVideoElement, language: string): TextTrack {
  const known = [...video.textTracks].find((track) => track.language === language);
  if (known) return known;
  const track = video.addTextTrack('subtitles', nameOf(language), language);
  track.mode = 'disabled';
  return track;
}

function nameOf(language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language;
  } catch {
    return language;
  }
}
