// Package watchparty is the domain: accounts, movies, rooms, messages and emails, the rules that they keep, and the
// errors that a client may see. It imports only the standard library, golang.org/x/text and golang.org/x/net/idna,
// which know the rules of Unicode. The other packages implement it.
//
// Identifiers are UUIDv7 in their canonical lower-case text form, so that their order is the order of creation.
// Times are UTC.
package watchparty
