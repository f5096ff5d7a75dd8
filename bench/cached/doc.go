// Package cached measures the gain and the cost of the cache: the built program compared with a bare net/http server,
// nginx and two servers in Node, under overload, on small and on large tables, and when many clients request an
// uncached read at once. `go run ./bench cached` runs all of it and writes the figures beside their bars; README.md
// says what they mean.
//
// What is measured has one core, and everything else, such as the load, Postgres and Redis, has the others. Contenders
// take turns in several rounds, and a ratio is the median of the rounds' ratios. The processor time of a request is
// that of the process which answered it and of its children, by the system's count.
package cached
