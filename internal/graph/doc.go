// Package graph is what the kinds for Microsoft Entra ID share: how an application is named, rotad's own login, and what the errors of
// Microsoft Graph and of the token service mean.
//
//	settings ──► Open ──► Graph (an httpapi.Client) and the tenant's token endpoint
//	ref      ──► Object ──► /applications(appId='..') or /applications/ID
//	reply    ──► class, AADSTS number
package graph
