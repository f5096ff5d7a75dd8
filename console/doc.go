// Package console serves the operations console at /admin: server-rendered pages without scripts, for admins.
//
// Each page and each act is a request to the API of the same process, with the admin's own rights: the console has no
// logic of its own, and what it may do is decided where it is decided for every other client, at each request.
//
// An admin signs in with the account's password. A cookie has the sign-in's token; its row is the session, as for other
// clients, and ends with it. Forms are protected from other sites by the cookie (SameSite=Strict) and by
// http.CrossOriginProtection. Pages load nothing from other servers, run no script, and cannot be framed.
package console
