package rules

import "github.com/watchparty/watchparty/devstack/mutant"

// section is a part of the design.
type section struct {
	title string
	rules []rule
}

// rule is a rule of live rooms, with the test that holds it.
type rule struct {
	says string
	test string // the folder and the name, as for go test -run; for the client in TypeScript, the title
	// without has the edits that remove the rule from the code.
	without []edit
}

type edit = mutant.Edit

// design has all rules, in the order of docs/rules.md.
var design = []section{
	{
		"State and commands",
		[]rule{
			{"A command of another epoch is refused as stale.", "playback TestEveryCommandOfAnOldEpochIsStale", []edit{
				{"playback/machine.go", "if c.Epoch != m.Epoch || ", "if "},
			}},
			{"A command for another revision (`if_revision`) is refused as stale.",
				"playback TestEveryCommandOfAnOldEpochIsStale", []edit{
					{"playback/machine.go", "c.IfRevision != nil && *c.IfRevision != m.Revision || ", ""},
				}},
			{"A command whose ID may have been forgotten is refused as stale.", "playback TestRecentCommandsAreBounded", []edit{
				{"playback/machine.go", " || c.Seen != nil && *c.Seen < m.Forgotten", ""},
			}},
			{"The same command again is answered with the stored revision.", "playback TestCommandSentAgain", []edit{
				{"playback/machine.go", "a.ID == c.ID }); i >= 0 {", "a.ID == c.ID }); i > len(m.Recent) {"},
			}},
			{"Another command with a known ID is refused.", "playback TestCommandSentAgain", []edit{
				{"playback/machine.go", "if m.Recent[i].Digest != c.digest() {", "if false {"},
			}},
			{"A room keeps its last 32 commands.", "playback TestRecentCommandsAreBounded", []edit{
				{"playback/machine.go", "for len(m.Recent) > MaxRecent {", "for len(m.Recent) > 2*MaxRecent {"},
			}},
			{"The revision rises by one with each change.", "playback TestTransitions", []edit{
				{"playback/machine.go", "m.Revision = s.Revision + 1", "m.Revision = s.Revision"},
			}},
			{"The revision rises with a command that moves nothing, too.", "playback TestTransitions/playing:_play", []edit{
				{"playback/machine.go", "m.changed || m.effects.Unmoved; m.effects.Changed", "m.changed; m.effects.Changed"},
			}},
			{"The epoch rises with each load.", "playback TestTransitions", []edit{
				{"playback/machine.go", "m.Epoch++\n\tm.Cue++\n\tm.Resume = true", "m.Cue++\n\tm.Resume = true"},
			}},
			{"The cue rises with each load.", "playback TestTransitions", []edit{
				{"playback/machine.go", "m.Epoch++\n\tm.Cue++\n\tm.Resume = true", "m.Epoch++\n\tm.Resume = true"},
			}},
			{"The cue rises with each seek.", "playback TestTransitions", []edit{
				{"playback/machine.go", "m.Cue++\n\tm.promptly = true", "m.promptly = true"},
			}},
			{"A pause raises no cue.", "playback TestTransitions", []edit{
				{"playback/machine.go", "m.become(Paused, CausePause, c.By)", "m.Cue++; m.become(Paused, CausePause, c.By)"},
			}},
			{"A pause is at the position that the person saw.", "playback TestTransitions/playing:_pause_where_the_presser_was",
				[]edit{{"playback/machine.go", "position = *c.PositionMS", "_ = position"}}},
			{
				"That position counts only within a second of the computed one.",
				"playback TestTransitions/playing:_pause_elsewhere",
				[]edit{
					{"playback/machine.go", " && abs(*c.PositionMS-position) <= PauseTolerance.Milliseconds()", ""},
				},
			},
			{"A seek in a paused room leaves it paused.", "playback TestTransitions/paused:_seek", []edit{
				{"playback/machine.go", "if m.Status == Paused {\n\t\tm.become(Paused, CauseSeek",
					"if m.Status == Idle {\n\t\tm.become(Paused, CauseSeek"},
			}},
			{"A seek has no lead.", "playback TestTransitions/playing:_seek_with_nobody_to_wait_for_has_no_lead", []edit{
				{"playback/machine.go", "m.promptly = true", "m.promptly = false"},
			}},
			{"A start has a lead.", "playback TestTransitions/paused:_play", []edit{
				{"playback/machine.go", "lead := Lead(m.room.Members)", "lead := time.Duration(0)"},
			}},
			{"The lead is as long as nine of ten members need.", "playback TestLead", []edit{
				{"playback/members.go", "(len(trips)*9+9)/10-1", "len(trips)-1"},
			}},
			{"The lead is the round trip and 100 ms.", "playback TestLead", []edit{
				{"playback/members.go", "ninetieth+leadOver", "ninetieth"},
			}},
			{"The lead is at least 200 ms.", "playback TestLead", []edit{
				{"playback/members.go", "min(max(ninetieth+leadOver, minLead), maxLead)", "min(ninetieth+leadOver, maxLead)"},
			}},
			{"The lead is at most 800 ms.", "playback TestLead", []edit{
				{"playback/members.go", "min(max(ninetieth+leadOver, minLead), maxLead)", "max(ninetieth+leadOver, minLead)"},
			}},
			{"Play while the room waits to play plays now.", "playback TestTransitions/waiting:_play_again", []edit{
				{"playback/machine.go", "m.start(CausePlay, by)\n\t\t\treturn nil", "return nil"},
			}},
			{"Pause while the room waits pauses after the wait.", "playback TestTransitions/waiting:_pause", []edit{
				{"playback/machine.go", "m.Resume = false\n\t\t\tm.become(Waiting, CausePause, c.By)",
					"m.become(Waiting, CausePause, c.By)"},
			}},
			{"A paused room that is to play first waits for players that are not ready.",
				"playback TestTransitions/paused:_play,_and_one_is_not_ready", []edit{
					{"playback/machine.go", "if len(m.unready(m.room.Members, m.room.Policy, m.now)) > 0 {", "if false {"},
				}},
			{"Another rate counts from the current position on.", "playback TestRate", []edit{
				{"playback/machine.go", "position, at := m.Position(m.now), m.now", "position, at := m.PositionMS, m.now"},
			}},
			{"Playback moves only while the room plays.", "playback TestPosition", []edit{
				{"playback/state.go", "if s.Status != Playing || !at.After(s.At) {", "if !at.After(s.At) {"},
			}},
			{"Playback does not move before its anchor.", "playback TestPosition", []edit{
				{"playback/state.go", "if s.Status != Playing || !at.After(s.At) {", "if s.Status != Playing {"},
			}},
			{"A position is within the item.", "playback TestPosition", []edit{
				{"playback/state.go", "max(positionMS, 0), s.lastMS())", "max(positionMS, 0), MaxPositionMS)"},
			}},
			{"Commands of one room are applied one after the other.", "store TestManyCommandsAtOnce", []edit{
				{"store/playback_events.go", `return q.For("UPDATE").Scan(ctx)`, "return q.Scan(ctx)"},
			}},
			{"The instant of a command is read under the lock.", "store TestManyCommandsAtOnce", []edit{
				{"store/party_starts.go", `"SELECT clock_timestamp()"`, `"SELECT now()"`},
			}},
			{"An anchor is sent as the transaction has written it.", "live TestJoinsChangeNothing", []edit{
				{"live/room.go", "AtMS: wire.Milliseconds(s.At),", "AtMS: wire.Milliseconds(now),"},
			}},
			{"A process drops a state that is not newer.", "live TestOldStates", []edit{
				{"live/room.go", "if s.Revision < r.state.Revision ||\n\t\ts.Revision ==", "if s.Revision =="},
			}},
		},
	},
	{"Waiting", []rule{
		{"The room waits at most 20 s after a load.", "playback TestTransitions/idle:_load", []edit{
			{"playback/state.go", "LoadDeadline     = 20 *", "LoadDeadline     = 30 *"},
		}},
		{"The room waits at most 8 s after a seek.", "playback TestTransitions/waiting:_seek", []edit{
			{"playback/state.go", "SeekDeadline     = 8 *", "SeekDeadline     = 20 *"},
		}},
		{"The room waits at most 8 s for a player that has run dry.", "playback TestTransitions/playing:_stall", []edit{
			{"playback/state.go", "RebufferDeadline = 8 *", "RebufferDeadline = 20 *"},
		}},
		{"A seek during a load leaves the load its time.",
			"playback TestTransitions/waiting_for_a_load:_seek_keeps_the_long_deadline", []edit{
				{"playback/machine.go", "if m.Status != Waiting || m.WaitFor != WaitLoad || why == WaitLoad {", "if true {"},
			}},
		{"A wait ends at its deadline.", "playback TestTransitions/waiting:_at_the_deadline", []edit{
			{"playback/machine.go", "case m.Status == Waiting && !m.now.Before(m.WaitUntil):",
				"case m.Status == Waiting && m.now.After(m.WaitUntil.Add(time.Hour)):"},
		}},
		{"A process with connections ends a wait by its own timer.", "live TestDeadline", []edit{
			{"live/room.go", "if due.IsZero() || len(r.conns) == 0 {", "if true {"},
		}},
		{"What is due in a room without connections is done by a sweep.", "live TestSweep", []edit{
			{"live/hub.go", "h.keepPresence, h.sweep, h.followChanges", "h.keepPresence, h.followChanges"},
		}},
		{"Of several processes, one ends a wait.", "store TestOneClosesAWait", []edit{
			{"store/playback_events.go", `.For("UPDATE SKIP LOCKED")`, ""},
		}},
		{"A wait ends when all are ready.", "playback TestTransitions/waiting:_all_are_ready", []edit{
			{"playback/machine.go", `m.goOn(CauseReady, "")`, "_ = CauseReady"},
		}},
		{"A player is ready for one cue.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "return m.ReadyCue == s.Cue", "return m.ReadyCue > 0"},
		}},
		{"A report that a player is ready for another cue is ignored.", "store TestRoomsWaitForTheirPeople", []edit{
			{"store/live_members.go", "if r.ReadyCue == cue && r.ReadyCue != 0 {", "if r.ReadyCue != 0 {"},
		}},
		{"The room does not wait for those who cannot be waited for.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", " || !m.Able", ""},
		}},
		{"The room does not wait for a player whose autoplay is blocked.", "live TestWhoCanBeWaitedFor", []edit{
			{"live/reports.go", "m.Blocked || ", ""},
		}},
		{"The room does not wait for a page that is neither seen nor heard.", "live TestWhoCanBeWaitedFor", []edit{
			{"live/reports.go", " || !m.Watching", ""},
		}},
		{"The room does not wait for people who have opted out.", "live TestWhoCanBeWaitedFor", []edit{
			{"live/reports.go", " || !m.WaitForMe", ""},
		}},
		{"The room does not wait for those who are set aside.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", " ||\n\t\tat.Before(m.SetAsideFor)", ""},
		}},
		{"The room does not wait for people who joined in the last 10 s.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", " && at.Sub(m.Since) >= JoinGrace", ""},
		}},
		{"The room waits for a player that has reported for the item.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "m.Epoch == s.Epoch && ", ""},
		}},
		{"After a load, the room waits for those who were there before it.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "return !m.Since.After(s.WaitUntil.Add(-LoadDeadline))", "return true"},
		}},
		{"A room can wait for its host only.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "policy == watchparty.WaitPolicyHost && !m.Host || ", ""},
		}},
		{"A room can wait for nobody.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "policy == watchparty.WaitPolicyNobody || ", ""},
		}},
		{"By default, a room of more than 8 people waits for nobody.", "playback TestWhoIsWaitedFor", []edit{
			{"playback/members.go", "if people(members) <= AutoEveryone {", "if people(members) > 0 {"},
		}},
		{"Connections of a process without a lease do not count.", "store TestRoomsWaitForTheirPeople", []edit{
			{"store/live_members.go", "ON n.id = c.node_id AND n.lease_until > clock_timestamp()", "ON n.id = c.node_id"},
		}},
		{"The room does not wait for a connection that has ended.", "store TestRoomsWaitForTheirPeople", []edit{
			{"store/live_members.go", "range waiting {", "range waiting[:0] {"},
		}},
		{"A stall of a counted player stops the room.", "playback TestTransitions/playing:_stall", []edit{
			{"playback/machine.go", "if i < 0 || m.Status != Playing {", "if i < 0 || m.Status != Waiting {"},
		}},
		{"A stall of another player does not.", "playback TestStalls", []edit{
			{"playback/machine.go", "if !setAside && !m.counts(", "if setAside && !m.counts("},
		}},
		{"A person stops the room at most once a minute.", "playback TestStalls", []edit{
			{"playback/machine.go", "m.now.Sub(member.StoppedAt) < StopInterval", "m.now.Sub(member.StoppedAt) < 0"},
		}},
		{"A player that stalls while it is set aside does not stop the room.", "playback TestStalls", []edit{
			{"playback/machine.go", "if setAside || !member.StoppedAt.IsZero()", "if !member.StoppedAt.IsZero()"},
		}},
		{"The room does not wait for 30 s for a player that has stopped it too often.", "store TestRoomsWaitForTheirPeople",
			[]edit{{"store/playback_events.go", "t.now.Add(playback.StableFor)", "t.now"}}},
		{"A player that stalls is not ready.", "store TestRoomsWaitForTheirPeople", []edit{
			{"store/live_members.go", "WHEN NOT t.ready THEN 0 ", "WHEN NOT t.ready THEN c.ready_cue "},
		}},
		{"People are told for whom the room waits.", "live TestWaiting", []edit{
			{"live/digest.go", "Waiting: len(state.Missing)", "Waiting: 0"},
		}},
	}},
	{"The end, the queue and votes", []rule{
		{"An item ends two seconds after its duration.", "playback TestTransitions/playing:_within_the_grace", []edit{
			{"playback/machine.go", "!m.now.Before(m.EndsAt.Add(EndGrace))", "!m.now.Before(m.EndsAt)"},
		}},
		{"An item ends when half of the players report its end.", "playback TestTransitions/playing:_a_third_has_ended",
			[]edit{{"playback/machine.go", "ended > 0 && 2*ended >= len(members) && ", "ended > 0 && "}}},
		{"Reports of the end count in the last 30 s only.", "playback TestTransitions/playing:_half_have_ended_too_early",
			[]edit{{"playback/machine.go", "return !m.now.Before(m.EndsAt.Add(-EarlyEnd))", "return true"}}},
		{"A report of the end counts for its cue only.", "playback TestTransitions/playing:_half_have_ended_before_a_seek",
			[]edit{{"playback/machine.go", "if member.EndedCue == m.Cue {", "if member.EndedCue > 0 {"}}},
		{"The next item starts at 0.", "playback TestNextItemStartsAtItsBeginning", []edit{
			{"playback/machine.go", "m.load(m.room.Next, 0, cause, by)", "m.load(m.room.Next, m.PositionMS, cause, by)"},
		}},
		{"An unknown duration is the runtime and a minute.", "playback TestDurationIsLearnt", []edit{
			{"playback/state.go", "runtimeMS+RuntimeSlack.Milliseconds()", "runtimeMS"},
		}},
		{"A reported duration has to be within 20 % of the runtime.", "playback TestDurationIsLearnt", []edit{
			{"playback/machine.go", "durationMS > 0 && abs(durationMS-m.Item.RuntimeMS) <= m.Item.RuntimeMS/durationTolerance",
				"durationMS > 0"},
		}},
		{"The first duration is that of the player of a person with control.", "playback TestDurationIsLearnt", []edit{
			{"playback/machine.go", "if !m.Item.Exact && member.Controls {", "if !m.Item.Exact {"},
		}},
		{"Another duration counts when half of the players agree.", "playback TestDurationIsLearnt", []edit{
			{"playback/machine.go", "agree >= 2 && 2*agree >= len(told) && ", "agree >= 2 && "},
		}},
		{"A room that nobody is connected to pauses after 60 s.", "store TestDesertedRoomsPause", []edit{
			{"store/playback_events.go", "FROM playbacks\n\tWHERE state IN ('waiting', 'playing') AND attended_at",
				"FROM playbacks\n\tWHERE state IN ('waiting') AND attended_at"},
		}},
		{"A room that somebody is connected to does not.", "store TestDesertedRoomsPause", []edit{
			{"store/playback_events.go", "WHERE m.room_id = playbacks.room_id", "WHERE false AND m.room_id = playbacks.room_id"},
		}},
		{"A deserted room pauses where the last person left.", "playback TestTransitions/playing:_deserted", []edit{
			{"playback/machine.go", "position := m.Position(since)", "position := m.Position(m.now)"},
		}},
		{"An archived room plays nothing.", "playback TestTransitions/playing:_archived", []edit{
			{"playback/machine.go", `m.leave(CauseArchived, "")`, "_ = CauseArchived"},
		}},
		{"Removing the item that plays skips it.", "store TestQueue", []edit{
			{"playback/machine.go", `m.advance(CauseRemoved, "")`, "_ = CauseRemoved"},
		}},
		{"A queue has at most 200 items.", "store TestQueueIsBounded", []edit{
			{"store/queue.go", "case all >= watchparty.MaxQueue:", "case all >= 2*watchparty.MaxQueue:"},
		}},
		{"A queue has at most 20 items of one person.", "store TestQueueIsBounded", []edit{
			{"store/queue.go", "case mine >= watchparty.MaxQueuePerUser:", "case mine >= 2*watchparty.MaxQueuePerUser:"},
		}},
		{"Items of others need a permission to be removed.", "store TestQueue", []edit{
			{"store/queue.go", "if (plays || valueOrZero(row.AddedBy) != by.UserID) && ", "if plays && "},
		}},
		{"A vote to skip passes with half of the people.", "playback TestSkipPasses", []edit{
			{"playback/members.go", "max(1, (eligible+1)/2)", "max(1, eligible/2)"},
		}},
		{"Nobody cannot pass a vote.", "playback TestSkipPasses", []edit{
			{"playback/members.go", " && eligible > 0", ""},
		}},
		{"Votes of people who have left do not count.", "store TestVotesToSkip", []edit{
			{"store/queue.go", "SELECT count(v.user_id), count(*) FROM participants",
				"SELECT (SELECT count(*) FROM skip_votes WHERE room_id = ?0 AND epoch = ?1), count(*) FROM participants"},
		}},
		{"People who are absent do not count.", "store TestVotesToSkip", []edit{
			{"store/queue.go", "(p.last_seen_at > now() - make_interval(secs => ?2) OR p.user_id = ?3)", "(?2 > 0 OR ?3 = '')"},
		}},
		{"Votes belong to an epoch.", "store TestVotesToSkip", []edit{
			{"store/queue.go", "AND v.user_id = p.user_id AND v.epoch = ?1", "AND v.user_id = p.user_id AND ?1 = ?1"},
		}},
		{"A vote to skip names the epoch.", "store TestVotesToSkip", []edit{
			{"store/queue.go", "case t.row.Epoch != epoch:", "case t.row.Epoch < 0:"},
		}},
		{"A vote that passed does not skip the next item.", "playback TestTransitions/playing:_voted_for_the_former_item",
			[]edit{{"playback/machine.go", "if m.Status != Idle && m.Epoch == e.Epoch {", "if m.Status != Idle {"}}},
	}},
	{
		"Parties",
		[]rule{
			{
				"A party starts at its instant, whenever that is noticed.",
				"playback TestTransitions/scheduled:_at_the_start",
				[]edit{
					{"playback/machine.go", "if m.now.Sub(startsAt) <= LateStart {", "if false {"},
				},
			},
			{"A start that is noticed more than a minute late is from the beginning.",
				"playback TestTransitions/scheduled:_long_after_the_start", []edit{
					{"playback/machine.go", "if m.now.Sub(startsAt) <= LateStart {", "if true {"},
				}},
			{"A party does not interrupt what plays until it starts.", "playback TestTransitions/playing:_schedule", []edit{
				{"playback/machine.go", "if m.Status == Playing || m.Status == Waiting {\n\t\treturn ErrBusy",
					"if m.Status == Waiting {\n\t\treturn ErrBusy"},
			}},
			{"A party waits for players that are not ready until 20 s after its instant.",
				"playback TestTransitions/scheduled:_one_is_not_ready,_and_it_is_late", []edit{
					{"playback/machine.go", "if m.now.Before(m.WaitUntil) && len(", "if len("},
				}},
		},
	},
	{
		"Movies that change",
		[]rule{
			{"A change of a movie reaches the rooms that play it or have it in their queue at once, on every process.",
				"live TestMovieEdited", []edit{
					{"live/changes.go", "\tcase \"movie\":\n\t\treturn d.movies\n", ""},
				}},
			{"If the hint is lost, the poll finds the change of a movie that plays.", "live TestMovieEditedWithoutHint", []edit{
				{"live/poll.go", "v.MovieVersion != r.state.Source.MovieVersion ||", ""},
			}},
			{
				"If the hint is lost, the poll finds the change of a movie in the queue.",
				"live TestMovieEditedWithoutHint",
				[]edit{
					{"live/poll.go", " || v.QueueMovies != r.versions.QueueMovies", ""},
				},
			},
			{"The change of a movie in the queue has clients read the queue again.", "live TestMovieEdited", []edit{
				{"live/room.go", "s.QueueMovies != r.versions.QueueMovies || ", ""},
			}},
			{"A state that was read before its movie was changed is read again.", "live TestStateFromBeforeAnEdit", []edit{
				{"live/room.go", "if s.Source.MovieID == r.state.Source.MovieID && s.Source.MovieVersion < " +
					"r.state.Source.MovieVersion {", "if false {"},
			}},
			{"REST shows the movie as it is now.", "store TestMovieChangesWhileItPlays", []edit{
				{"store/playbacks.go", "r.state().Renewed(itemOf(item))", "r.state()"},
			}},
			{"A command is applied to the item with its present duration.", "store TestMovieChangesWhileItPlays", []edit{
				{"store/playback_events.go", "now := stored.Renewed(itemOf(t.item))", "now := stored"},
			}},
			{"Durations that players told before a change of the duration do not count.",
				"store TestDurationsFromBeforeAnEdit", []edit{
					{"store/playback_events.go", "UPDATE live_members AS c SET duration_ms = 0,",
						"UPDATE live_members AS c SET duration_ms = c.duration_ms,"},
				}},
			{"The first event after a change of the duration stores it.", "store TestMovieChangesWhileItPlays", []edit{
				{"store/playback_events.go", "if effects.Changed || t.renewed {", "if effects.Changed {"},
			}},
			{"An item ends after its present duration.", "playback TestRenewed", []edit{
				{"playback/state.go", "s.EndsAt = s.end()", ""},
			}},
			{"A position that is past the present end is at the end.", "playback TestRenewed", []edit{
				{"playback/state.go", "\ts.PositionMS = s.clamp(s.PositionMS)\n", ""},
			}},
			{"An item that has become shorter than its position is over.", "live TestMovieBecomesShorter", []edit{
				{"playback/state.go", "s.EndsAt = s.end()", ""},
			}},
			{
				"A duration that players have reported is kept until the catalogue has another one.",
				"playback TestRenewed",
				[]edit{
					{"playback/state.go", "if s.Item.CatalogueMS == now.CatalogueMS && s.Item.Exact {", "if false {"},
				},
			},
			{"A client takes a state of the same revision with a newer version of the movie.",
				"clients/typescript at the same revision, the state with the newer version of the movie counts", []edit{
					{"clients/typescript/src/live/connection.ts", "> (known?.media?.version ?? 0);", "> Infinity;"},
				}},
			{"A player loads a stream that is replaced at the place of the room, and reports its duration.",
				"clients/typescript a stream that is replaced while it plays is loaded at the place of the room", []edit{
					{"clients/typescript/src/live/watch.ts", "this.#readyCue = -1; // another stream", "// another stream"},
				}},
			{"A room does not wait for a player while there is no stream.",
				"clients/typescript a page without a stream is not waited for, and goes on with the room when there is one again",
				[]edit{{"clients/typescript/src/live/watch.ts", " || this.#loaded === ''", ""}}},
		},
	},
	{
		"Control",
		[]rule{
			{"The room's setting says who controls playback.", "store TestWhoControlsPlayback", []edit{
				{"permission.go", "return s.Control.Contains(r)", "return r.May(p)"},
			}},
			{"Muted people do not control.", "store TestWhoControlsPlayback/muted", []edit{
				{"permission.go", "p != MayControl && ", ""},
			}},
			{"People whose sign-in has ended do not control.", "store TestWhoControlsPlayback", []edit{
				{"store/playback_events.go", "case !standing.SignedIn:", "case false:"},
			}},
			{"People who have left do not control.", "store TestWhoControlsPlayback/who_left", []edit{
				{"store/playback_events.go", "case !standing.Joined:", "case false:"},
			}},
			{"Banned people do not control.", "store TestWhoControlsPlayback/banned", []edit{
				{"store/playback_events.go", `case standing.Banned:`, `case false:`},
			}},
			{"Nobody controls in an archived room.", "store TestWhoControlsPlayback/in_an_archived_room", []edit{
				{"store/playback_events.go", `case room.ArchivedAt != nil:`, `case false:`},
			}},
			{
				"People who may not know of a private room learn nothing by a command.",
				"store TestWhoControlsPlayback/put_out",
				[]edit{
					{
						"store/playback_events.go",
						`case standing.Role == "" && room.Visibility == string(watchparty.Private):`,
						`case false:`,
					},
				},
			},
			{"A demotion that commits before a command counts.", "store TestDemotionBeforeACommandCounts", []edit{
				{"store/playback_events.go", `For("SHARE")`, `For("KEY SHARE")`},
			}},
			{"Seeks of one person within 10 s are one line of the log.", "store TestControlIsLogged", []edit{
				{"store/playback_events.go", "if affected(result) {", "if false && affected(result) {"},
			}},
			{"Commands leave database connections to all other work.", "store TestCommandsLeaveConnections", []edit{
				{"store/pool.go", "if name == PlaybackKind {", "if name == \"\" {"},
			}},
		},
	},
	{
		"Connections",
		[]rule{
			{"People who change their name or picture see it at once in all of their connections.", "live TestOwnPerson", []edit{
				{"live/digest.go", "r.tellSelf(c)", "_ = c"},
			}},
			{"Browsers connect from allowed origins only.", "api TestLiveHandshake/origins", []edit{
				{"api/live.go", "if !s.originAllowed(", "if false && !s.originAllowed("},
			}},
			{"A client offers the subprotocol of the contract.", "api TestLiveHandshake/invalid_handshake", []edit{
				{"api/live.go", "if !hasToken(r.Header, \"Sec-WebSocket-Protocol\", wire.Subprotocol) {", "if false {"},
			}},
			{"A connection signs in within 5 s.", "live TestSilence", []edit{
				{"live/conn.go", "hello := time.AfterFunc(c.hub.limits.Hello, ", "hello := time.AfterFunc(time.Hour, "},
			}},
			{"Before that, nothing is answered.", "live TestBadInput/unknown_type_before_hello", []edit{
				{"live/conn.go", "if !open { // before hello nothing is answered", "if !open && c.room != nil { // before hello"},
			}},
			{"A client has at most 50 connections that have not signed in.", "live TestLimits", []edit{
				{"live/hub.go", "case h.pending[c.client] >= h.limits.PendingEach:", "case false:"},
			}},
			{"A process has at most 4,000 connections that have not signed in.", "live TestPending", []edit{
				{"live/hub.go", " || h.waiting >= h.limits.Pending:", ":"},
			}},
			{"A process has at most 30,000 connections.", "live TestLimits", []edit{
				{"live/hub.go", "len(h.conns) >= h.limits.Connections || ", ""},
			}},
			{"A person has at most 5 connections to a room.", "live TestLimits", []edit{
				{"live/room.go", "own >= wire.MaxConnectionsEach || ", ""},
			}},
			{"A room has at most twice as many connections as places.", "live TestPlaces", []edit{
				{"live/room.go", "len(r.conns) >= connectionsPerPlace*capacity", "len(r.conns) >= 1000*capacity"},
			}},
			{"A person connects at most 60 times a minute.", "live TestConnects", []edit{
				{"live/signin.go", "if h.connects != nil {", "if false {"},
			}},
			{"A connection that is resumed ends.", "live TestLimits", []edit{
				{"live/signin.go", "other.close(wire.CodeResumed)", "_ = wire.CodeResumed"},
			}},
			{"A message has at most 4,096 bytes.", "live TestBadInput/4097_bytes", []edit{
				{"live/conn.go", "case frame.Len() > wire.MaxFrame:", "case false:"},
			}},
			{"A connection sends at most 20 messages a second.", "live TestBadInput/more_than_it_may", []edit{
				{"live/conn.go", "if !c.messages.Allow() {", "if false {"},
			}},
			{"Pings and pongs count as messages.", "live TestControlFrames", []edit{
				{"live/conn.go", "if c.messages.Allow() {\n\t\treturn true", "if true {\n\t\treturn true"},
			}},
			{"A person sends at most 5 commands a second.", "live TestLimits", []edit{
				{"live/commands.go", `if result := h.perPerson.Allow(c.user.UserID + " " + c.room.id); !result.Allowed {`,
					"if result := (limit.Result{}); result.Allowed {"},
			}},
			{"A room takes at most 10 commands a second.", "live TestCommandsOfARoom", []edit{
				{"live/commands.go", "if result := h.perRoom.Allow(c.room.id); !result.Allowed {",
					"if result := (limit.Result{}); result.Allowed {"},
			}},
			{"Of seeks that follow each other within 150 ms, only the first and the last are applied.", "live TestSeeks", []edit{
				{"live/commands.go", "case isSeek && (", "case false && ("},
			}},
			{"A seek is not overtaken by what comes after it.", "live TestSeeks", []edit{
				{"live/commands.go", "c.commands.sought = now\n\t\t}\n\t\tc.flushSeek()", "c.commands.sought = now\n\t\t}"},
			}},
			{
				"What was received is run after the connection has ended.",
				"live TestEndOfConnection",
				[]edit{
					{
						"live/commands.go",
						"if len(c.commands.queue) == 0 {\n\t\tc.commands.running",
						"if len(c.commands.queue) == 0 || c.closing {\n\t\tc.commands.running",
					},
				},
			},
			{"A player reports its status at most once a second.", "live TestStatuses", []edit{
				{"live/conn.go", "if c.statuses.Allow() {", "if true {"},
			}},
			{"A state replaces one that was not sent yet.", "live TestWhatIsWrittenFirst", []edit{
				{"live/conn.go", "c.out.state = frame", "c.out.queue = append(c.out.queue, frame)"},
			}},
			{"A digest replaces one that was not sent yet.", "live TestWhatIsWrittenFirst", []edit{
				{"live/conn.go", "c.out.digest = frame", "c.out.queue = append(c.out.queue, frame)"},
			}},
			{"The members' digest is sent at most once a second.", "live TestDigests", []edit{
				{"live/digest.go", "time.NewTicker(h.limits.Digest)", "time.NewTicker(time.Millisecond)"},
			}},
			{"A digest that says the same is not sent again.", "live TestDigests", []edit{
				{"live/digest.go", "if equalDigests(digest, r.digest) {", "if false {"},
			}},
			{"A client with 64 unsent messages is disconnected.", "live TestSlowClient/full_queue", []edit{
				{"live/conn.go", "full := len(c.out.queue) >= wire.MaxQueue", "full := len(c.out.queue) >= 1000*wire.MaxQueue"},
			}},
			{"A client that does not read for 10 s is disconnected.", "live TestSlowClient/deadline", []edit{
				{"live/conn.go", "context.WithTimeout(context.Background(), c.hub.limits.Write)",
					"context.WithTimeout(context.Background(), time.Hour)"},
			}},
			{"A connection that is idle is pinged, and stays.", "live TestDripping", []edit{
				{"live/keepalive.go", "c.ping(elapsed)", "c.pinged.Store(int64(elapsed))"},
			}},
			{
				"A connection that answers nothing is dead.",
				"live TestDripping",
				[]edit{
					{"live/keepalive.go", "case elapsed-time.Duration(c.read.Load()) > h.limits.Dead:", "case false:"},
					{
						"live/conn.go",
						"if err := c.socket.Ping(ctx); err != nil {\n\t\t\tc.finish()",
						"if err := c.socket.Ping(ctx); err != nil {",
					},
				},
			},
			{"Limits are those of the design.", "live TestDefaultLimits", []edit{
				{"live/hub.go", "PollCalm:    5 * time.Second", "PollCalm:    time.Minute"},
			}},
			{"Limits of messages are those of the contract.", "live/wire TestLimitsAreTheContracts", []edit{
				{"live/wire/limits.go", "DeadAfter            = 45 * time.Second", "DeadAfter            = 4500 * time.Second"},
			}},
		},
	},
	{
		"Rights",
		[]rule{
			{"A client is told a minute before its token expires.", "live TestTokens", []edit{
				{"live/keepalive.go", "if warn {", "if false {"},
			}},
			{"A connection ends 30 s after its token has expired.", "live TestTokens", []edit{
				{"live/keepalive.go", "if !now.Before(expires.Add(c.hub.limits.Grace)) {", "if false {"},
			}},
			{"Each command needs a token that has not expired.", "live TestTokens", []edit{
				{"live/commands.go", "if c.expired(h.clock.Now()) {", "if false {"},
			}},
			{"A new token is of the same person and sign-in.", "live TestTokens", []edit{
				{"live/signin.go", "if id.UserID != c.user.UserID || id.SessionID != c.user.SessionID {", "if id.UserID == \"\" {"},
			}},
			{"A change of rights at one process disconnects people at the others.", "live TestPutOut/kick", []edit{
				{"live/hint.go", "h.changes.add(m.Tags...)", ""},
			}},
			{"A ban disconnects.", "live TestPutOut/ban", []edit{
				{"store/live_standings.go", `case r.Banned:`, `case false:`},
			}},
			{"Leaving or being put out disconnects.", "live TestPutOut/leave", []edit{
				{"store/live_standings.go", `case !r.Joined:`, `case false:`},
			}},
			{"The archive of a room disconnects.", "live TestPutOut/archive", []edit{
				{"store/live_standings.go", `case r.Archived:`, `case false:`},
			}},
			{"The deletion of a room disconnects.", "live TestPutOut/deletion", []edit{
				{"store/live_standings.go", `case !r.There, r.Role == "" && r.Private:`, `case false:`},
			}},
			{"A sign-out or a suspension disconnects.", "live TestPutOut/sign-out", []edit{
				{"store/live_standings.go", `case !r.SignedIn:`, `case false:`},
			}},
			{"A role that changes while its person signs in arrives.", "live TestRoleDuringSignIn", []edit{
				{"live/signin.go", "if c.behind || c.standing.access < r.versions.AccessVersion {", "if false {"},
			}},
			{"Reports that could not be stored are stored later.", "live TestReportsOutliveAnOutage", []edit{
				{"live/reports.go", `r.reports = append(reports, r.reports...)`, `_ = reports`},
			}},
			{"If the hint is lost, the poll finds the change.", "live TestPutOutWithoutHint", []edit{
				{"live/poll.go", "if !ok || access {", "if !ok && access {"},
			}},
			{"A person who is put out while signing in does not stay.", "live TestKickDuringSignIn", []edit{
				{"live/changes.go", "c.closeFor(ctx, s.Err)\n\t\treturn", "return"},
			}},
			{
				"After Postgres was down, rights are read before anything is sent.",
				"live TestPutOutWhilePostgresWasAway",
				[]edit{
					{"live/outage.go", "if !away && h.readEverything(ctx) != nil {", "if false {"},
				},
			},
		},
	},
	{
		"Processes and failures",
		[]rule{
			{"A process tells the others of a state by a hint.", "live TestREST", []edit{
				{"live/commands.go", "h.publish(s)\n\tif r", "if r"},
			}},
			{
				"A process applies its own states at once.",
				"live TestOldStates",
				[]edit{
					{
						"live/commands.go",
						"h.publish(s)\n\tif r := h.roomOf(s.RoomID); r != nil {",
						"h.publish(s)\n\tif r := h.roomOf(s.RoomID); false {",
					},
				},
			},
			{"While Redis is down, processes poll at once.", "live TestRedisKilled", []edit{
				{"live/poll.go", "if !h.bus.Healthy() {\n\t\t\t\t\tslept = wait", "if false {\n\t\t\t\t\tslept = wait"},
			}},
			{"While Redis is down, processes poll each 300 ms.", "live TestRedisKilled", []edit{
				{"live/hub.go", "PollBusy:    300 * time.Millisecond", "PollBusy:    5 * time.Second"},
			}},
			{"While Postgres is down, people are told.", "live TestPostgresAway", []edit{
				{"live/outage.go", "now-time.Duration(h.answered.Load()) > h.limits.Degraded", "now < 0*time.Second"},
			}},
			{"While Postgres is down, nothing is pushed.", "live TestPostgresAway", []edit{
				{"live/room.go", "if !r.loaded || r.hub.degraded.Load() {", "if !r.loaded {"},
			}},
			{"A process renews its lease.", "live TestKeepPresence", []edit{
				{"live/presence.go", "time.NewTicker(h.limits.Lease / 3)", "time.NewTicker(time.Hour)"},
			}},
			{"People with a connection are present.", "live TestKeepPresence", []edit{
				{"live/presence.go", "time.NewTicker(h.limits.Attend)", "time.NewTicker(time.Hour)"},
			}},
			{
				"A process whose lease had lapsed stores its connections again.",
				"live TestMembersAreRestored",
				[]edit{
					{"live/presence.go", "if h.sinceRenewal() > 2*h.limits.Lease {", "if h.sinceRenewal() < 0 {"},
				},
			},
			{"A report that can never be stored is dropped, and holds up no later report.", "live TestReportsThatFail", []edit{
				{"live/reports.go", "if watchparty.IsKind(err, watchparty.KindUnavailable) || store.Unavailable(err) {",
					"if true {"},
			}},
			{"A process that stops removes itself.", "live TestDrain", []edit{
				{"live/hub.go", "h.removeNode(context.WithoutCancel(ctx))", ""},
			}},
			{"A process that stops closes its connections one after the other.", "live TestDrain", []edit{
				{"live/hub.go", "float64(over) * float64(i+1) / float64(len(all))", "float64(over) + 0*float64(i)"},
			}},
			{"A process that stops closes its connections within 5 s.", "live TestDrainIsShort", []edit{
				{"live/hub.go", "over = min(over, maxDrain)", "_ = maxDrain"},
			}},
			{"A process that stops takes no new connections.", "live TestDrainIsShort", []edit{
				{"live/hub.go", "h.draining = true", "h.draining = false"},
			}},
		},
	},
	{
		"The clock of the service",
		[]rule{
			{"The time of a process is that of Postgres.", "live TestClockIsThatOfPostgres", []edit{
				{"live/clock.go", "passed + c.offset.value(passed)", "passed"},
			}},
			{"The measurement with the least doubt counts.", "live TestOffset", []edit{
				{"live/offset.go", "if s.doubt(at) <= best.doubt(at) {", "if true {"},
			}},
			{"Doubt grows by 50 ppm.", "live TestSample", []edit{
				{"live/offset.go", "driftLimit = 50e-6", "driftLimit = 0.0"},
			}},
			{
				"Eight measurements are kept.",
				"live TestOffsetForgetsTheFormerClock",
				[]edit{
					{
						"live/offset.go",
						"o.samples[max(len(o.samples)-samplesKept, 0):]",
						"o.samples[max(len(o.samples)-100*samplesKept, 0):]",
					},
				},
			},
			{"The clock is slewed by at most 5 ms a second.", "live TestOffset", []edit{
				{"live/offset.go", "slewLimit = 5e-3", "slewLimit = 5e3"},
			}},
			{"A step of more than 250 ms is taken at once.", "live TestOffset", []edit{
				{"live/offset.go", "stepLimit = 250 * time.Millisecond", "stepLimit = 250 * time.Hour"},
			}},
			{"A slow answer proves no step.", "live TestOffset", []edit{
				{"live/offset.go", "> stepLimit+s.doubt(s.at)+known.doubt(s.at)", "> stepLimit"},
			}},
			{"After a step, former measurements do not count.", "live TestOffsetForgetsTheFormerClock", []edit{
				{"live/offset.go", "o.samples = nil // they measured the former clock", ""},
			}},
			{"After a step, clients are told to measure again.", "live TestClockJumps", []edit{
				{"live/clock_jump.go", "frame := h.encode(&wire.ClockChanged{})\n\tfor _, c := range h.signedInConnections() {",
					"frame := h.encode(&wire.ClockChanged{})\n\tfor _, c := range h.signedInConnections()[:0] {"},
			}},
			{"After a step, a running room is anchored again.", "live TestClockJumps", []edit{
				{"live/clock_jump.go", "h.spawn(func() { r.moveClock(step) })", "h.spawn(func() { _ = r })"},
			}},
			{"Of several processes, one anchors it.", "playback TestTransitions/playing:_the_clock_was_set_by_another", []edit{
				{"playback/machine.go", "if m.Revision != e.Revision || ", "if "},
			}},
			{"Answers about the clock pass what is queued.", "live TestWhatIsWrittenFirst", []edit{
				{"live/conn.go", "case len(o.clocks) > 0:", "case len(o.clocks) > 0 && len(o.queue) == 0:"},
			}},
		},
	},
	{
		"Players",
		[]rule{
			{"Of the samples of the clock, the one with the shortest round trip counts.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "if s.bound(now) < best.bound(now) {", "if true {"},
			}},
			{"Samples older than 3 minutes are dropped.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "return c3-old.at > maxSampleAge ||", "return c3 < old.at ||"},
			}},
			{"Sixteen samples are kept.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "if len(c.samples) > keptSamples {", "if len(c.samples) > 100*keptSamples {"},
			}},
			{"A sample that contradicts others replaces them.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "old.bound(c3)+added.bound(c3)+sampleSlack", "math.Inf(1)"},
			}},
			{"The clock is first measured six times.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "burstSize        = 6", "burstSize        = 1"},
			}},
			{"Then it is measured each 5 s for a minute.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "gap = gapInFirstMinute", "gap = gapLater"},
			}},
			{"Then it is measured each 15 s.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "gap := gapLater", "gap := gapInFirstMinute"},
			}},
			{"It is measured six times again when round trips have grown.", "live/player TestClockRules", []edit{
				{"live/player/clock.go", "c.Wake(c3)", "_ = c3"},
			}},
			{"Errors up to 40 ms are not corrected.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "bar := coarseError", "bar := fineError"},
			}},
			{"What is corrected is corrected down to 15 ms.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "bar = fineError", "bar = coarseError"},
			}},
			{"The rate differs by at most 5 %.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "gentleShare = 0.05", "gentleShare = 0.5"},
			}},
			{"The rate differs by up to 10 % above 500 ms.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "most = firmShare", "most = gentleShare"},
			}},
			{"Correction multiplies the room's rate.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "chosen := o.Rate", "chosen := 1.0"},
			}},
			{"A player seeks when it is off by more than a second.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "limit := seekAbove", "limit := 4 * seekAbove"},
			}},
			{"A player whose rate cannot be set seeks above 400 ms.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "c.rateFails = true", "c.rateFails = false"},
			}},
			{"A seek aims ahead by the time that a seek takes.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "return target + c.seekTime*rate", "return target"},
			}},
			{"The time that a seek takes is learnt.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "c.seekTime, c.seekKnown = learnt(c.seekTime, took, c.seekKnown), true\n\tswitch",
					"c.seekKnown = true\n\tswitch"},
			}},
			{"A player seeks at most once in 5 s.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "!gaveUp && o.Now-c.lastSeek >= c.gap", "!gaveUp"},
			}},
			{"The time between seeks doubles.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "c.gap = min(c.gap*2, lastSeekGap)", "c.gap = min(c.gap, lastSeekGap)"},
			}},
			{"The time between seeks is at most 30 s.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "c.gap = min(c.gap*2, lastSeekGap)", "c.gap *= 2"},
			}},
			{"After three seeks that did not help, a player is left alone.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "gaveUp := c.failures >= seekAttempts", "gaveUp := c.failures < 0"},
			}},
			{"A command of the room ends that.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "c.failures, c.gap, c.lastSeek, c.correcting = 0, firstSeekGap, math.Inf(-1), false",
					"c.gap, c.lastSeek, c.correcting = firstSeekGap, math.Inf(-1), false"},
			}},
			{"A player that waits for data is left alone.", "live/player TestCorrectionRules", []edit{
				{"live/player/correction.go", "if !o.Moving {", "if false {"},
			}},
			{"A resting player seeks once for each state.", "live/player TestFollowerRules", []edit{
				{"live/player/follower.go", "f.aligned = true", "f.aligned = false"},
			}},
			{
				"A start is called ahead by what it takes.",
				"live/player TestFollowerRules",
				[]edit{
					{
						"live/player/follower.go",
						"wait := anchor.At - f.corrector.StartTime() - serverTime",
						"wait := anchor.At - serverTime",
					},
				},
			},
			{"A player that joins late is sent ahead of the room.", "live/player TestFollowerRules", []edit{
				{"live/player/follower.go", "target + f.corrector.Lead()*anchor.Rate", "target"},
			}},
			{"A scheduled start is by the player's own clock.", "live/player TestFollowerRules", []edit{
				{"live/player/follower.go", "anchor := f.anchor.Due(serverTime)", "anchor := *f.anchor"},
			}},
			{"A scheduled start that the room does not confirm for a minute is none.", "live/player TestFollowerRules", []edit{
				{"live/player/follower.go", " && time < a.StartsAt+maxEarly", ""},
			}},
			{"A state that says the same again changes nothing.", "live/player TestFollowerRules", []edit{
				{"live/player/follower.go", "if same == *former {", "if false {"},
			}},
		},
	},
	{"The client in TypeScript", typescript},
}
