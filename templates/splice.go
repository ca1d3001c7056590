package templates

import (
	"slices"
	"strings"
	text "text/template"
	"text/template/parse"
)

// inline puts into the trees of a set what they call: first messages, then each other.
func (l *Language) inline(trees map[string]*parse.Tree, page bool) {
	for _, tree := range trees {
		l.spell(tree, page)
	}
	s := splicer{trees: trees, page: page, seen: map[string]bool{}}
	for name := range trees {
		s.splice(name)
	}
}

// splicer puts templates into the place of their calls: {{template "item"}} becomes what the template item is made of. Mails are
// made of many small ones, and a call costs more than most of them. What cannot be put in place is called as it was: a template
// that calls itself, one that has variables, one that is long, one that is about something else than its caller and does more than to show it.
type splicer struct {
	trees map[string]*parse.Tree
	page  bool
	seen  map[string]bool // whose calls have been replaced (true), or are being replaced
}

// longest is how long a template is at most, in bytes, that is put in place: templates that call each other twice would grow without end.
const longest = 16 << 10

// splice replaces the calls within a template, once, and returns what it is made of then; nil = nobody knows yet.
func (s splicer) splice(name string) *parse.ListNode {
	tree := s.trees[name]
	if tree == nil || tree.Root == nil {
		return nil
	}
	done, begun := s.seen[name]
	if begun && !done {
		return nil
	}
	if !done {
		s.seen[name] = false
		rewrite(tree.Root, s.instead)
		s.seen[name] = true
	}
	return tree.Root
}

func (s splicer) instead(n parse.Node) []parse.Node {
	call, ok := n.(*parse.TemplateNode)
	if !ok {
		return []parse.Node{n}
	}
	body := s.splice(call.Name)
	if body == nil {
		return []parse.Node{n}
	}
	if source := body.String(); strings.Contains(source, "$") || len(source) > longest {
		return []parse.Node{n}
	}
	body = body.CopyList()
	about, ok := argument(call.Pipe)
	if ok && about != nil && about.Type() == parse.NodeDot || ok && s.show(body, about) {
		return body.Nodes
	}
	return []parse.Node{n}
}

// argument returns what a template is called with: the dot, a field, or words; nil = nothing.
func argument(pipe *parse.PipeNode) (about parse.Node, ok bool) {
	if pipe == nil {
		return nil, true
	}
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return nil, false
	}
	about = pipe.Cmds[0].Args[0]
	return about, slices.Contains([]parse.NodeType{parse.NodeDot, parse.NodeField, parse.NodeString}, about.Type())
}

// show puts what a template is about in the place of its dot. It fails for one that does more than to show that, by itself or by a
// function; about nothing, for one that does more than to say some words.
func (s splicer) show(body *parse.ListNode, about parse.Node) bool {
	for i, n := range body.Nodes {
		action, ok := n.(*parse.ActionNode)
		switch {
		case !ok && n.Type() != parse.NodeText, ok && (about == nil || !replaceDot(action.Pipe, about)):
			return false
		case ok:
			body.Nodes[i] = s.fold(action)
		}
	}
	body.Nodes = joined(nil, body.Nodes...)
	return true
}

// replaceDot fails where a pipe has anything but functions, words and the dot.
func replaceDot(pipe *parse.PipeNode, about parse.Node) bool {
	for _, command := range pipe.Cmds {
		for i, arg := range command.Args {
			switch arg.Type() {
			case parse.NodeIdentifier, parse.NodeString:
			case parse.NodeDot:
				command.Args[i] = about.Copy()
			default:
				return false
			}
		}
	}
	return true
}

// fold makes words that are shown as they are into text. In a page they are text, not markup.
func (s splicer) fold(n *parse.ActionNode) parse.Node {
	words, ok := argument(n.Pipe)
	if !ok || words.Type() != parse.NodeString {
		return n
	}
	said := words.(*parse.StringNode).Text //nolint:forcetypeassert // its type says so
	if s.page {
		said = text.HTMLEscapeString(said)
	}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: []byte(said)}
}
