// Package answer lets people answer a notice by a link in its mail, and read their deadlines as a calendar feed.
//
//	mail ──► GET  /answer/{link}           ──► a page that says what it is about, with one button: nothing is done
//	         POST /answer/{link}           ──► Act ──► the record, the audit (mail:ADDRESS)
//	calendar program ──► GET /calendar/{name}.ics ──► Feed: the events that the mails carry
//
// A link says what it is for and is signed with a key (HMAC-SHA256); nothing is kept of one that was written. It acts on POST
// alone, because scanners of mail open every link. What nobody has signed gets one and the same answer, so that nothing can be
// learned by trying. Neither a link nor the name of a feed is ever logged: who has one may use it.
package answer
