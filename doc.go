// Package watchparty is the domain: people, movies, rooms and what is said in them, the rules these keep, and the
// errors that a client may see. It imports the standard library, golang.org/x/text and golang.org/x/net/idna, which know
// what texts and names are, and nothing else; implementations live in the packages beside it.
//
// Identifiers are UUIDv7 in their canonical lower-case text form, so that their order is the order of creation.
// Times are UTC.
package watchparty
