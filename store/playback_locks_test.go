package store

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/playback"
)

// TestPlaybackIsLockedOnce: each transaction on a room's playback reads the row under its lock by one statement.
func TestPlaybackIsLockedOnce(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	for name, act := range map[string]func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error{
		"a command": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			c := playback.Command{Kind: playback.Pause, ID: newID(), Epoch: playing.Epoch}
			return second(s.ApplyPlaybackCommand(t.Context(), p.room.ID, p.by["host"], c))
		},
		"time": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			_, _, err := s.Tick(t.Context(), p.room.ID, playing.Revision)
			return err
		},
		"an addition to the queue": func(t *testing.T, s *Store, p *party, _ PlaybackAnswer) error {
			what := watchparty.Source{StreamURL: movieAddress}
			return second(s.AddToQueue(t.Context(), p.room.ID, p.by["host"], what, IdempotencyKey{}))
		},
		"a removal from the queue": func(t *testing.T, s *Store, p *party, _ PlaybackAnswer) error {
			return second(s.RemoveFromQueue(t.Context(), p.room.ID, p.by["host"], p.addItem().ID))
		},
		"a removal of what plays": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			return second(s.RemoveFromQueue(t.Context(), p.room.ID, p.by["host"], playing.Item.ID))
		},
		"a vote to skip": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			answer, err := s.VoteToSkip(t.Context(), p.room.ID, p.by["host"], playing.Epoch, false)
			require.False(t, answer.Effects.Changed)
			return err
		},
		"a vote that skips": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			execute(t, s, "UPDATE participants SET last_seen_at = '2000-01-01' WHERE room_id = ?", p.room.ID)
			answer, err := s.VoteToSkip(t.Context(), p.room.ID, p.by["host"], playing.Epoch, true)
			require.Equal(t, playback.CauseVoted, answer.Cause)
			return err
		},
		"reports": func(t *testing.T, s *Store, p *party, playing PlaybackAnswer) error {
			_, conns := p.connectAll(p.host, p.guest)
			p.report(MemberReport{ConnID: conns[0], ReadyCue: playing.Cue}, MemberReport{ConnID: conns[1], ReadyCue: playing.Cue})
			answer, err := s.ReportPlayers(t.Context(), p.room.ID, []MemberReport{
				{ConnID: conns[0], StalledCue: playing.Cue}, {ConnID: conns[1], StalledCue: playing.Cue},
			})
			require.Equal(t, playback.CauseRebuffer, answer.Cause)
			require.Equal(t, playing.Revision+1, answer.Revision, "two stalls at once stop the room once")
			p.requireStored(answer.State)
			return err
		},
		"the start of a party": func(t *testing.T, s *Store, p *party, _ PlaybackAnswer) error {
			p.mustCommand("host", playback.Stop, nil)
			_, done, err := s.AdvanceParty(t.Context(), p.startIn(p.dueParty(), -time.Second).ID)
			require.True(t, done)
			return err
		},
		"a party that no longer starts": func(t *testing.T, s *Store, p *party, _ PlaybackAnswer) error {
			p.mustCommand("host", playback.Stop, nil)
			due := p.dueParty()
			p.advance(due)
			_, err := s.CancelParty(t.Context(), due.ID, p.boss.ID, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newParty(t, s)
			playing := p.mustCommand("host", playback.Load, nil)
			seen := &recorder{}
			recorded := *s
			recorded.db = s.DB().WithQueryHook(seen)
			require.NoError(t, act(t, &recorded, p, playing))
			locks := 0
			for _, statement := range seen.statements {
				if strings.Contains(statement, `FROM "playbacks"`) && strings.Contains(statement, "FOR UPDATE") {
					locks++
				}
			}
			require.Equal(t, 1, locks, strings.Join(seen.statements, "\n"))
		})
	}
}
