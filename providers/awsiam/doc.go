// Package awsiam adapts AWS IAM: the access keys of a user, of which there may be two.
//
//	IAM  ListAccessKeys, GetAccessKeyLastUsed   what there is, and when it was used
//	     CreateAccessKey                        one create: id and secret are both new
//	     DeleteAccessKey                        ends one by its id
//	STS  GetCallerIdentity                      proves a key; nobody can be forbidden to ask
//
// The secret is shown once, in the answer to the create. A key whose answer never came is found in the list, deleted and made again.
package awsiam
