package api

import (
	"strconv"
	"strings"
)

// versionTag starts the entity tag of a thing that can be changed under If-Match; `"` ends it, or `-` and the
// content's own hash.
func versionTag(version int) string { return `W/"` + strconv.Itoa(version) }

// changedTag is the entity tag of a thing that was just changed.
func changedTag(version int) *string {
	tag := versionTag(version) + `"`
	return &tag
}

// ifMatch reads the versions that a client takes for the newest; nil allows any. What else is in the tags is left
// alone: people come and go in a room while its host edits it.
func ifMatch(header *string) []int {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return nil
	}
	versions := []int{}
	for part := range strings.SplitSeq(*header, ",") {
		tag, ok := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(part), "W/"), `"`)
		text, _, _ := strings.Cut(strings.TrimSuffix(tag, `"`), "-")
		if version, err := strconv.Atoi(text); ok && err == nil {
			versions = append(versions, version)
		}
	}
	return versions
}
