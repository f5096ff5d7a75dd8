package api

import (
	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
	"github.com/watchparty/watchparty/coherence"
)

// person returns null for the zero Person, which stands for a deleted account.
func (s *Server) person(p watchparty.Person) *contract.Person {
	if p.ID == "" {
		return nil
	}
	shown := s.requiredPerson(p)
	return &shown
}

// requiredPerson is like person, for accounts that cannot be deleted meanwhile.
func (s *Server) requiredPerson(p watchparty.Person) contract.Person {
	return contract.Person{ID: p.ID, Username: p.Username, DisplayName: p.DisplayName, Avatar: s.avatarURLs(p)}
}

// avatarURLs returns absolute addresses, which change with each version.
func (s *Server) avatarURLs(p watchparty.Person) contract.AvatarURLs {
	return contract.AvatarURLs(p.AvatarURLs(s.files()))
}

// files is the address of all public files.
func (s *Server) files() string { return s.cfg.HTTP.PublicURL + basePath + "/files/" }

// tagsOfPeople are the tags of what an answer shows of people; nobody has none.
func tagsOfPeople(people ...watchparty.Person) (tags []string) {
	for _, p := range people {
		if p.ID != "" {
			tags = append(tags, coherence.TagPerson(p.ID))
		}
	}
	return tags
}
