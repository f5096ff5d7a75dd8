// Package jobs shows and steers the workflows in Temporal: lists and counts them, describes one with its pending steps
// and its history, cancels, terminates and retries them, and describes the task queues.
//
// A job is one run of a workflow. A retry of a job that has ended is another job with the same workflow ID.
//
// Lists and counts are Temporal's own. They may be some seconds behind, and a count is approximate on a large cluster.
// What a single job does now comes from its own state and is exact. Temporal removes a job after the retention of its
// namespace.
package jobs
