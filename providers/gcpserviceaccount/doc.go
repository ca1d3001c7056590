// Package gcpserviceaccount adapts Google Cloud: the keys of a service account, of which there may be ten.
//
//	GET    projects/P/serviceAccounts/EMAIL/keys                 what there is, with its start and its end
//	POST   projects/P/serviceAccounts/EMAIL/keys                 one create: the answer is the whole credentials file, once
//	DELETE projects/P/serviceAccounts/EMAIL/keys/ID              ends one by its id
//	POST   projects/P/serviceAccounts/EMAIL:testIamPermissions   which rights rotad has there
//	GET    projects/P/serviceAccounts                            a page of the project
//	POST   token endpoint (RFC 7523)                             proves a key
//
// Keys have no label. One whose answer never came is known by its start: it is deleted, and made again.
package gcpserviceaccount
