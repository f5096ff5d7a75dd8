// Package workflows orchestrates background work. Workflows are deterministic: they call activities by name and decide
// by the results. Everything with a side effect is in package activities.
//
// Each workflow has saved histories in testdata, which the tests replay. A change of what a running workflow would do
// needs workflow.GetVersion.
//
// # Priorities
//
// All emails share the rate limit of one queue, so they have Temporal's priorities. The rules of package watchparty
// give each kind of email its priority. The outbox starts workflows in that order, and activities inherit the priority
// of their workflow. A reminder has a lower priority than its workflow, which began with an email that a person waited
// for.
//
// The short steps of avatars have a queue and worker slots of their own. Priorities on the renderers' queue would not
// do: a worker that has rendered a picture asks for its next task before the workflow has asked for the picture to be
// published, so that the publication would wait for another picture.
//
// RenderAvatar skips an upload that a newer upload of the account has overtaken. However many pictures an account
// uploads, only its newest is rendered when the account's turn comes. Temporal's fairness keys are not used: in server
// 1.29, which is that of bin/temporal and docker-compose.yml, they are off by default, and turning them on leaves the
// waiting tasks where nobody reads them.
package workflows
