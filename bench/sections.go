package main

import (
	"context"
	"io"
)

// section is one run of go test -bench, or of a program of its own.
type section struct {
	name    string // on the command line
	title   string
	about   string // what the figures say, and which bounds they are held to
	program func(ctx context.Context, log io.Writer) (table string, err error)
	pkg     string
	bench   string // a pattern
	flags   []string
	timeout string
}

var sections = []section{
	{
		name:  "registration",
		title: "Registration while Temporal and the mail server are down",
		about: "The time to answer `POST /api/auth/register`, one request after the other: alternately while Temporal and the mail\n" +
			"server are there, and while both are down. `away/there` is the ratio of the medians. Above 1.2 the benchmark fails.",
		pkg:     "./e2e",
		bench:   "^BenchmarkRegistration$",
		flags:   []string{"-benchtime", "60x"},
		timeout: "20m",
	},
	{
		name:  "cache",
		title: "Cache",
		about: "The time of a read from memory, of one from Redis over loopback, and of one that is loaded. The price of a change,\n" +
			"alone and beside another process.",
		pkg:   "./cache",
		bench: ".",
		flags: []string{"-benchmem"},
	},
	{
		name:  "limit",
		title: "Rate limits",
		about: "The price of counting a request, in the process and in Redis.",
		pkg:   "./limit",
		bench: ".",
		flags: []string{"-benchmem"},
	},
	{
		name: "store", title: "Store", about: "Writes on Postgres over loopback.", pkg: "./store",
		bench: "^Benchmark(PostMessage|Heartbeat)$", flags: []string{"-benchmem"},
	},
	{
		name:  "search",
		title: "Search",
		about: "The time of a page of 20 results from Postgres over loopback, with 100,000 rooms, 10,000 movies and 10,000 accounts.\n" +
			"60 searches are typed as people do: whole, incomplete and misspelt. 20 are hard: one letter, words that a third of all\n" +
			"rooms have, and hostile texts. With a median above 20 ms the benchmark fails.",
		pkg:     "./store",
		bench:   "^BenchmarkSearch$",
		flags:   []string{"-benchtime", "5x"},
		timeout: "20m",
	},
	{
		name:  "retention",
		title: "Retention while people post and read",
		about: "2,000,000 messages in 2,000 rooms, half of them older than the retention, on a Postgres that syncs to disk. One run of\n" +
			"the clean-up removes this half, with its default batches and pauses, in Temporal and the worker's process. Meanwhile\n" +
			"clients post 50 messages a second and read 150 pages of 50 through the API, which caches as in production. The time of\n" +
			"a request begins when the request is due. `before` is the time before the run. During the run, slices of 6 s\n" +
			"alternate: in `without` the run is held between two batches, and in `during` it goes on. Each figure is the median of\n" +
			"its slices. `during/without` is the ratio of the p99s. Above 2 the benchmark fails. The load, the API, the worker and\n" +
			"every server share the machine. `longest-transaction-ms` is the longest transaction of any process.",
		pkg:     "./e2e",
		bench:   "^BenchmarkRetention$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "emails",
		title: "Resets while other emails wait",
		about: "The longest of five times from `POST /api/auth/password-reset` until the SMTP server has the email. `idle`: the system\n" +
			"has nothing else to do. `behind`: 10,000 welcome emails were just requested; `in-outbox` and `in-temporal` say where\n" +
			"they wait. `last`: the outbox is empty, and Temporal sends the `all-in-temporal` emails that are left, 20 a second.\n" +
			"With a time above 2 s the benchmark fails. Every server shares the machine.",
		pkg:     "./e2e",
		bench:   "^BenchmarkReset$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "30m",
	},
	{
		name:  "pictures",
		title: "Pictures of many accounts at once",
		about: "The time from an upload of 12 megapixels in 4 MB until its picture is published. `alone`: the system has nothing else\n" +
			"to do. `first`, `median` and `last`: 100 accounts each upload one picture, which two clients send as fast as the API\n" +
			"takes them. `beside-50`: one account uploads a picture while another account sends 50, and `delay` is the time that\n" +
			"these add. The bars are at most 2 for `first/alone`, 0.6 for `median/last` and 2 for `delay/alone`; `bars-missed` is\n" +
			"the number of those that were missed. The load and every server share the machine.",
		pkg:     "./e2e",
		bench:   "^BenchmarkPictures$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "jobs",
		title: "Lists of jobs",
		about: "The answers of `/api/admin/jobs` and the overview while Temporal has 50,000 workflows that have ended, in the\n" +
			"development server with SQLite. `counts` asks Temporal for each kind and state, and `total` once. The benchmark fails\n" +
			"if the 95th percentile of anything but `counts` is above 250 ms.",
		pkg:     "./e2e",
		bench:   "^BenchmarkJobs$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "60m",
	},
	{
		name:  "batches",
		title: "Batches of the clean-up",
		about: "The time of a batch that removes 1,000 old messages from a table that is half old: the medians of the first and of the\n" +
			"last tenth of the batches, without pauses and without other load. A backup keeps removed rows in the indexes until it\n" +
			"ends, so each batch begins where the one before ended. The last line is the time of batches that all begin at the\n" +
			"beginning.",
		pkg:     "./e2e",
		bench:   "^BenchmarkBatches$",
		flags:   []string{"-benchtime", "1x"},
		timeout: "20m",
	},
	{
		name:  "avatar",
		title: "Avatars",
		about: "The processor time of a picture with one thread, compared with the best `vipsthumbnail` command line for the same\n" +
			"outputs. The picture is a JPEG of 4000×3000, upright or rotated. `two` are the squares of 512 and 128 as WebP, and\n" +
			"`all` is what an upload gets. A worker starts once, but a command starts for each picture: `net` is without these\n" +
			"starts. `peak-MB` is the largest size of the process. The benchmark fails if `net-cpu-ratio` is above 1.5 (1.6 for\n" +
			"rotated pictures), or `peak-MB` above 100.",
		pkg:     "./avatar",
		bench:   ".",
		flags:   []string{"-benchtime", "10x"},
		timeout: "20m",
	},
	liveSection("together", "Players of a room",
		"12 players in each of 6 rooms, with newcomers: at first with a command every 14 s, and then with one every 5.5 s."),
	liveSection(
		"faults",
		"Faults in live rooms",
		"2 rooms of 12 people behind 40 ms ± 20 ms with 3 % of the packets lost. Redis is killed for a minute, and a node six\n"+
			"times.",
	),
	liveSection("memory", "Memory of live connections",
		"Idle connections to one node: 20,000, or as many as a process may have open files."),
	liveSection(
		"crowd",
		"A live room of 1,000",
		"999 clients in one process, at two nodes, over loopback. The clients take about as much processor time as the nodes.",
	),
	liveSection("storm", "Live commands, sent twice and out of order",
		"20 clients of 10 people at two nodes. Each frame is up to 300 ms late, and four in ten are sent twice."),
	liveSection(
		"pages",
		"Live rooms in browsers",
		"4 pages in Chromium at two nodes, behind 40 ms ± 20 ms with 3 % of the packets lost. The frame numbers in the pixels\n"+
			"of the pages tell their positions.",
	),
	cachedSection(
		"peers",
		"Hits beside other servers",
		"The peak over 32 connections by wrk, and the latency at half of the peak at a constant rate. Each contender is one\n"+
			"process, and shares the machine with the load.",
	),
	cachedSection("reads", "Hits beside reads from Postgres",
		"Over one connection, on one core. Processor time is that of the process, and of Postgres for reads from there."),
	cachedSection("size", "Lists in small and in large tables",
		"The time of an answer over one connection: warm from memory, cold from Postgres."),
	cachedSection(
		"misses",
		"Many misses at once",
		"500 concurrent requests for a room that no process has cached. The figure is the number of loads; each is one query.",
	),
	cachedSection("writes", "Price of the durable invalidation",
		"The time of `POST /api/chat/messages` over one connection, with a Postgres that syncs to disk."),
	cachedSection(
		"overload",
		"More reads than can be answered",
		"The offered load is 0.2 to 5 times the load that saturates one process on one core. Requests that wait for more than a\n"+
			"second are given up.",
	),
}
