package rules

// typescript has the rules of the client in TypeScript, whose tests have titles.
var typescript = []rule{
	{"Of the samples of the clock, the one with the shortest round trip counts.",
		"clients/typescript the smallest round trip counts, not the newest", []edit{
			{"clients/typescript/src/live/clock.ts", "if (!best || bound(sample, now) < bound(best, now)) ", ""},
		}},
	{"Samples older than 3 minutes are dropped.", "clients/typescript samples older than 3 minutes are dropped", []edit{
		{"clients/typescript/src/live/clock.ts", "c3 - old.at <= maxSampleAge &&", ""},
	}},
	{
		"Sixteen samples are kept.",
		"clients/typescript sixteen samples are kept",
		[]edit{
			{
				"clients/typescript/src/live/clock.ts",
				"this.#samples.length > keptSamples",
				"this.#samples.length > 100 * keptSamples",
			},
		},
	},
	{
		"A sample that contradicts others replaces them.",
		"clients/typescript a client's clock that stood still drops what came before",
		[]edit{
			{
				"clients/typescript/src/live/clock.ts",
				"bound(old, c3) + bound(sample, c3) + sampleSlack",
				"Infinity + sampleSlack",
			},
		},
	},
	{"The clock is first measured six times.",
		"clients/typescript six samples at once, then one each 5 s for a minute, then one each 15 s", []edit{
			{"clients/typescript/src/live/clock.ts", "const burstSize = 6;", "const burstSize = 1;"},
		}},
	{"Errors up to 40 ms are not corrected.", "clients/typescript errors up to 40 ms stay", []edit{
		{"clients/typescript/src/live/correction.ts", "const coarseError = 40;", "const coarseError = 15;"},
	}},
	{"What is corrected is corrected down to 15 ms.",
		"clients/typescript what is corrected is corrected down to 15 ms", []edit{
			{"clients/typescript/src/live/correction.ts", "const fineError = 15;", "const fineError = 40;"},
		}},
	{"The rate differs by at most 5 %, and by 10 % above 500 ms.",
		"clients/typescript by 5 % at most up to 500 ms, by 10 % above", []edit{
			{"clients/typescript/src/live/correction.ts", "const gentleShare = 0.05;", "const gentleShare = 0.1;"},
		}},
	{
		"Correction multiplies the room's rate.",
		"clients/typescript correction multiplies the room's rate",
		[]edit{
			{
				"clients/typescript/src/live/correction.ts",
				"? rate * (1 + share(error / rate)) : rate",
				"? 1 + share(error / rate) : rate",
			},
		},
	},
	{"A seek aims ahead by the time that a seek takes.",
		"clients/typescript above 1 s it seeks, ahead by what a seek is thought to take", []edit{
			{"clients/typescript/src/live/correction.ts", "seek: target + this.#seekTime * rate", "seek: target"},
		}},
	{
		"A player seeks at most once in 5 s, then 10, 20 and 30 s.",
		"clients/typescript one seek in 5 s, then 10, 20, 30; after three that did not help it gives up, until the player is near",
		[]edit{
			{"clients/typescript/src/live/correction.ts", " && now - this.#lastSeek >= this.#gap) return", ") return"},
		},
	},
	{
		"After three seeks that did not help, a player is left alone.",
		"clients/typescript one seek in 5 s, then 10, 20, 30; after three that did not help it gives up, until the player is near",
		[]edit{
			{
				"clients/typescript/src/live/correction.ts",
				"const gaveUp = this.#failures >= seekAttempts;",
				"const gaveUp = false;",
			},
		},
	},
	{"A command of the room ends that.", "clients/typescript a command begins anew", []edit{
		{"clients/typescript/src/live/correction.ts", "reset(): void {\n    this.#failures = 0;", "reset(): void {"},
	}},
	{"A player whose rate cannot be set seeks above 400 ms.",
		"clients/typescript a rate that does not work is not tried again, and seeks begin at 400 ms", []edit{
			{"clients/typescript/src/live/correction.ts", "this.#rateWorks = false;", "this.#rateWorks = true;"},
		}},
	{"A resting player seeks once for each state.", "clients/typescript a paused room is shown to the frame, by one seek",
		[]edit{{"clients/typescript/src/live/follower.ts", "this.#aligned = true;", ""}}},
	{
		"A scheduled start is by the player's own clock.",
		"clients/typescript what starts by itself starts by the player's own clock, to the frame",
		[]edit{
			{
				"clients/typescript/src/live/follower.ts",
				"const anchor = due(this.#anchor, serverTime);",
				"const anchor = due(this.#anchor, 0);",
			},
		},
	},
	{
		"A state that is not newer is dropped.",
		"clients/typescript only newer states count",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"if (known && (state.revision < known.revision || ",
				"if (known && (",
			},
		},
	},
	{
		"A command whose answer is lost is sent again with its ID.",
		"clients/typescript a command whose answer is lost is sent again with its ID, and not for ever",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"for (const { command } of this.#pending.values()) this.#send(command);",
				"",
			},
		},
	},
	{"A command names the epoch and the revision that the person saw.",
		"clients/typescript commands have an ID and the epoch, and are answered", []edit{
			{"clients/typescript/src/live/connection.ts", "id: newID(), ...seen }", "id: newID(), ...(seen && {}) }"},
		}},
	{"Of many seeks, only some are sent, and always the last one.",
		"clients/typescript of many seeks only some are sent, and always the last one, before what comes after it", []edit{
			{"clients/typescript/src/live/connection.ts", "if (wait > 0) this.#cancelSeek", "if (wait > 1e9) this.#cancelSeek"},
		}},
	{
		"After a final code, the client does not connect again.",
		"clients/typescript 4403 is final",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"if (final.has(code)) return this.#finish({ code, reason });",
				"void final;",
			},
		},
	},
	{"After any other code, it connects again, later each time.",
		"clients/typescript after 1012 it connects again, later each time, and at another time than others", []edit{
			{"clients/typescript/src/live/connection.ts", "firstDelay * 2 ** this.#attempts", "firstDelay"},
		}},
	{"Clients of a process that has ended connect at random times.",
		"clients/typescript after 1012 it connects again, later each time, and at another time than others", []edit{
			{"clients/typescript/src/live/connection.ts", "least + this.#env.random() * (most - least)", "most"},
		}},
	{"A client that connects again names its lost connection.",
		"clients/typescript after 1012 it connects again, later each time, and at another time than others", []edit{
			{"clients/typescript/src/live/connection.ts", "...(this.#connectionID && { resume: this.#connectionID })", ""},
		}},
	{
		"A refused token is exchanged before the client connects again.",
		"clients/typescript a refused token is exchanged first",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"if (code === unauthenticated) void this.#renew(reason);\n    else this.#retry();",
				"this.#retry();",
			},
		},
	},
	{
		"A client does not try tokens for ever.",
		"clients/typescript tokens that are refused one after the other end it",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"++this.#refusals >= maxTokens",
				"++this.#refusals >= 1000 * maxTokens",
			},
		},
	},
	{"A token that expires is renewed on the connection.",
		"clients/typescript a token that expires is renewed on the connection", []edit{
			{"clients/typescript/src/live/connection.ts", "this.#send({ t: 'token', access_token: token });", ""},
		}},
	{
		"A connection that says nothing for 8 s is given up.",
		"clients/typescript a connection that says nothing is given up",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"this.#clock.sent(now);\n      this.#expectAnswer();",
				"this.#clock.sent(now);",
			},
		},
	},
	{
		"A clock that has jumped is measured anew.",
		"clients/typescript the clock is measured six times at once, and tells the time of the server",
		[]edit{
			{
				"clients/typescript/src/live/connection.ts",
				"this.#clock = new Clock(this.#env.now());\n        return this.#measure();",
				"return this.#measure();",
			},
		},
	},
	{"A stall shorter than 2 s is not reported.", "clients/typescript is not reported", []edit{
		{"clients/typescript/src/live/watch.ts", `now - this.#starvedSince > stallTime`, `now - this.#starvedSince > 0`},
	}},
	{
		"A player that stalls says again when it is ready.",
		"clients/typescript it is ready once for each cue, with the duration, and again for another server",
		[]edit{
			{
				"clients/typescript/src/live/watch.ts",
				`if (following?.isReady && state.cue !== this.#readyCue) {`,
				`if (following?.isReady) {`,
			},
		},
	},
	{
		"A player that may not start says so.",
		"clients/typescript a player that plays nothing before a gesture says so, and after it is where the room is then",
		[]edit{
			{
				"clients/typescript/src/live/video.ts",
				`if (error.name === 'NotAllowedError') this.#stopBy('autoplay');`,
				`if (error.name === 'NotAllowedError') return;`,
			},
		},
	},
	{
		"A refusal of a former movie does not stop the new one.",
		"clients/typescript that comes late does not stop the new one",
		[]edit{
			{"clients/typescript/src/live/video.ts", `if (stream !== this.#loads) return;`, ``},
		},
	},
	{
		"A status is sent at most once a second.",
		"clients/typescript a status is sent at once when it changes, but not more than once a second; otherwise each 10 s",
		[]edit{
			{
				"clients/typescript/src/live/watch.ts",
				`if (now - this.#reportedAt < gap) return;`,
				`if (text === this.#reported && now - this.#reportedAt < gap) return;`,
			},
		},
	},
	{
		"A page that is neither seen nor heard does not watch.",
		"clients/typescript one who neither sees nor hears the movie does not watch; one who comes back measures the clock anew",
		[]edit{
			{"clients/typescript/src/live/watch.ts", `document.visibilityState === 'visible' || !this.video.muted`, `true`},
		},
	},
	{
		"After a sleep the clock is measured anew.",
		"clients/typescript after a sleep the clock is measured anew, and the player is where the room is",
		[]edit{
			{"clients/typescript/src/live/watch.ts", `if (now - this.#lastTick > slept) this.room.wake();`, ``},
		},
	},
	{
		"A network that comes back has the client connect at once.",
		"clients/typescript a network that comes back has it connect at once",
		[]edit{
			{"clients/typescript/src/live/watch.ts", `addEventListener('online', () => room.reconnect(), { signal });`, ``},
		},
	},
	{
		"A page is told of subtitles that cannot be loaded.",
		"clients/typescript a page is told of subtitles that cannot be loaded, until there are others",
		[]edit{{"clients/typescript/src/live/subtitles.ts", "() => failed(language)", "() => void failed"}},
	},
}
