// Package sigv4 signs requests to AWS (Signature Version 4). It reads rotad's own access key in the form that AWS's programs
// share, and leaves the signature itself to AWS's own library.
//
//	credentials file ──► Parse ──► Key
//	httpapi.Request  ──► Sign(key, ...) ──► the same with Authorization and X-Amz-Date
package sigv4
