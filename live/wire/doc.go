// Package wire has the messages of a live connection as api/live.yaml describes them: their types, and how they are
// encoded and decoded. A test holds both against each other.
//
// What a client sends is decoded strictly: a frame that is no JSON object with a name is ErrMalformed, and a message
// with a property that is unknown, missing or out of its limits is refused with the names of these properties. What the
// server sends is decoded as clients do it: unknown properties are ignored, since a newer server may have more of them.
package wire
