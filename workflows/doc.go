// Package workflows orchestrates background work. Workflows are deterministic: they call activities by name and decide
// by their results; everything that touches the world is in package activities.
//
// Each workflow has saved histories in testdata, replayed by the tests. A change that alters what a running workflow
// would do needs workflow.GetVersion.
package workflows
