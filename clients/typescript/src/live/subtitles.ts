import type { PlaybackState } from './messages.js';

type Subtitles = NonNullable<PlaybackState['media']>['subtitles'];

/**
 * Adds the subtitles to a video. Browsers take them from other servers only into elements that load their stream by
 * CORS,
 * too, which most streams do not allow. So an element of its own loads them, and their cues go to the video.
 */
export function addSubtitles(video: HTMLVideoElement, subtitles: Subtitles): void {
  for (const track of video.textTracks) {
    track.mode = 'disabled';
    for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
  }
  for (const { language, url } of subtitles) {
    const track = findTrack(video, language);
    const loader = document.createElement('video');
    loader.crossOrigin = 'anonymous';
    const element = loader.appendChild(document.createElement('track'));
    element.src = url;
    element.addEventListener('load', () => {
      track.mode = 'hidden';
      for (const cue of [...(element.track.cues ?? [])]) track.addCue(cue);
      track.mode = 'disabled';
    });
    element.track.mode = 'hidden'; // which has it loaded
  }
}

/** Tracks cannot be removed: the one of a language is used again. */
function findTrack(video: HTMLVideoElement, language: string): TextTrack {
  const known = [...video.textTracks].find((track) => track.language === language);
  return known ?? video.addTextTrack('subtitles', nameOf(language), language);
}

function nameOf(language: string): string {
  try {
    return new Intl.DisplayNames([language], { type: 'language' }).of(language) ?? language;
  } catch {
    return language;
  }
}
