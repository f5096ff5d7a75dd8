// Package mail writes the service's emails and hands them to an SMTP server.
//
// An email has one source, a letter, that is rendered as HTML and as text. What letters say is in one file for each
// language, which fills them from typed data; a kind of email is a method that every language has. Sender.Send then
// talks to the server. It says with a SendError what the server's answer means for a retry, and whether it is about
// the email or about this service: that is the table in answers.go.
//
// Nothing that leaves this package in an error holds an email address or a secret: errors end up in workflow
// histories, logs and the emails table.
package mail
