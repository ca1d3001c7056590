// Package telekom adapts the control plane of Deutsche Telekom (telekom/controlplane): the rover API, by which a team
// rotates the client secret of its applications. A rotation is asked for and carried out later by a controller.
//
//	PATCH /rovers/{id}/secret          202: asked for          ┐
//	GET   /rovers/{id}/secret/status   until it is complete    ┴─ both secrets, both deadlines
//	GET   /rovers/{id}/info            where the zone's token endpoint is
//	POST  <token endpoint>             proves a secret
//
// Whether the replaced secret lives on is decided by the zone of the application, which this API does not show. So a
// rotation counts as a hard cutover until dates and a person's word speak for a grace period.
package telekom
