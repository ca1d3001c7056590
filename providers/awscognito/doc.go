// Package awscognito adapts Amazon Cognito: the secrets of an app client of a user pool, of which there may be two.
//
//	ListUserPoolClientSecrets   what there is, by id, without values
//	AddUserPoolClientSecret     one create; Cognito makes the value, and shows it once
//	DeleteUserPoolClientSecret  ends one by its id; the last one cannot be ended
//	POST /oauth2/token          proves a secret, at the domain of the user pool
//
// A secret whose answer never came is found in the list, deleted and made again.
package awscognito
