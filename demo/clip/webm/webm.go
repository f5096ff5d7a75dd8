// Package webm writes WebM files of one video and one audio track.
package webm

import (
	"encoding/binary"
	"math"
)

// Block is a frame of video, or a packet of audio.
type Block struct {
	Time  int // milliseconds
	IsKey bool
	Data  []byte
}

// File is what a file is made of. Blocks are in the order of time, and the first frame of video is a key frame.
type File struct {
	Title         string
	Duration      int // milliseconds
	Width, Height int
	Video         []Block // VP8
	Rate          int
	AudioHeaders  [3][]byte // of Vorbis
	Audio         []Block
}

// Identifiers of elements (RFC 9559).
const (
	idHeader       = 0x1A45DFA3
	idDocType      = 0x4282
	idDocVersion   = 0x4287
	idReadVersion  = 0x4285
	idSegment      = 0x18538067
	idInfo         = 0x1549A966
	idScale        = 0x2AD7B1
	idDuration     = 0x4489
	idTitle        = 0x7BA9
	idMuxingApp    = 0x4D80
	idWritingApp   = 0x5741
	idTracks       = 0x1654AE6B
	idTrack        = 0xAE
	idTrackNumber  = 0xD7
	idTrackUID     = 0x73C5
	idTrackType    = 0x83
	idLacing       = 0x9C
	idCodec        = 0x86
	idCodecPrivate = 0x63A2
	idVideo        = 0xE0
	idWidth        = 0xB0
	idHeight       = 0xBA
	idAudio        = 0xE1
	idRate         = 0xB5
	idChannels     = 0x9F
	idCues         = 0x1C53BB6B
	idCuePoint     = 0xBB
	idCueTime      = 0xB3
	idCuePositions = 0xB7
	idCueTrack     = 0xF7
	idCueCluster   = 0xF1
	idCluster      = 0x1F43B675
	idTimestamp    = 0xE7
	idSimpleBlock  = 0xA3

	videoTrack = 1
	audioTrack = 2
)

// Encode returns the file. There is a cluster for each key frame, and a cue for each cluster, before the clusters: a
// player seeks by one request.
func (f File) Encode() []byte {
	clusters := f.clusters()
	head := append(f.info(), f.tracks()...)
	// The size of the cues does not depend on the numbers in them, since all are written with the same length.
	positions := make([]int, len(clusters))
	at := len(head) + len(cues(clusters, positions))
	for i, c := range clusters {
		positions[i] = at
		at += len(c.encoded)
	}
	parts := [][]byte{head, cues(clusters, positions)}
	for _, c := range clusters {
		parts = append(parts, c.encoded)
	}
	header := element(idHeader, text(idDocType, "webm"), number(idDocVersion, 2), number(idReadVersion, 2))
	return append(header, element(idSegment, parts...)...)
}

func (f File) info() []byte {
	return element(idInfo, number(idScale, 1_000_000), float(idDuration, float64(f.Duration)), text(idTitle, f.Title),
		text(idMuxingApp, "WatchParty"), text(idWritingApp, "WatchParty"))
}

func (f File) tracks() []byte {
	video := element(idTrack, number(idTrackNumber, videoTrack), number(idTrackUID, videoTrack), number(idTrackType, 1),
		number(idLacing, 0), text(idCodec, "V_VP8"),
		element(idVideo, number(idWidth, f.Width), number(idHeight, f.Height)))
	audio := element(idTrack, number(idTrackNumber, audioTrack), number(idTrackUID, audioTrack), number(idTrackType, 2),
		number(idLacing, 0), text(idCodec, "A_VORBIS"), element(idCodecPrivate, f.codecPrivate()),
		element(idAudio, float(idRate, float64(f.Rate)), number(idChannels, 1)))
	return element(idTracks, video, audio)
}

// codecPrivate holds the headers of Vorbis with the lengths of the first two.
func (f File) codecPrivate() []byte {
	out := []byte{2}
	for _, header := range f.AudioHeaders[:2] {
		length := len(header)
		for ; length >= 255; length -= 255 {
			out = append(out, 255)
		}
		out = append(out, byte(length))
	}
	for _, header := range f.AudioHeaders {
		out = append(out, header...)
	}
	return out
}

type cluster struct {
	time    int
	encoded []byte
}

func (f File) clusters() []cluster {
	var all []cluster
	var blocks [][]byte
	flush := func() {
		if last := len(all) - 1; last >= 0 {
			all[last].encoded = element(idCluster, append([][]byte{number(idTimestamp, all[last].time)}, blocks...)...)
		}
		blocks = nil
	}
	audio := f.Audio
	for i, frame := range f.Video {
		if frame.IsKey {
			flush()
			all = append(all, cluster{time: frame.Time})
		}
		blocks = append(blocks, simpleBlock(videoTrack, frame, all[len(all)-1].time))
		next := math.MaxInt
		if i+1 < len(f.Video) {
			next = f.Video[i+1].Time
		}
		for len(audio) > 0 && audio[0].Time < next {
			blocks = append(blocks, simpleBlock(audioTrack, audio[0], all[len(all)-1].time))
			audio = audio[1:]
		}
	}
	flush()
	return all
}

func simpleBlock(track byte, b Block, start int) []byte {
	head := []byte{0x80 | track, 0, 0, 0}
	binary.BigEndian.PutUint16(head[1:], uint16(int16(b.Time-start)))
	if b.IsKey {
		head[3] = 0x80
	}
	return element(idSimpleBlock, head, b.Data)
}

func cues(clusters []cluster, positions []int) []byte {
	points := make([][]byte, 0, len(clusters))
	for i, c := range clusters {
		points = append(points, element(idCuePoint, number(idCueTime, c.time),
			element(idCuePositions, number(idCueTrack, videoTrack), number(idCueCluster, positions[i]))))
	}
	return element(idCues, points...)
}

func element(id uint32, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	var out []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if b := byte(id >> shift); b != 0 || len(out) > 0 {
			out = append(out, b)
		}
	}
	if size < 127 {
		out = append(out, 0x80|byte(size))
	} else { // in 5 bytes
		out = append(out, 0x08|byte(size>>32), byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
	}
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

func text(id uint32, value string) []byte { return element(id, []byte(value)) }

func number(id uint32, value int) []byte {
	return element(id, binary.BigEndian.AppendUint32(nil, uint32(value)))
}

func float(id uint32, value float64) []byte {
	return element(id, binary.BigEndian.AppendUint64(nil, math.Float64bits(value)))
}
