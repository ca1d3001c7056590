package templates

import (
	"slices"
	"strconv"
	"strings"
	text "text/template"
	"text/template/parse"
)

// spell puts the words of messages into a tree, in place of the calls that say them: {{say "left.headline" .}} becomes what the
// message left.headline is made of. A call costs more than all that most messages say, and a mail has some thirty. What cannot
// be put in place, such as a message about something else than the tree, is called as it was.
//
// In a page the words are text, not markup.
func (l *Language) spell(tree *parse.Tree, page bool) {
	if tree == nil {
		return
	}
	rewrite(tree.Root, func(n parse.Node) []parse.Node {
		switch n := n.(type) {
		case *parse.ActionNode:
			if words, ok := l.put(n, page); ok {
				return words
			}
		case *parse.TemplateNode:
			l.spellArgument(n.Pipe)
		}
		return []parse.Node{n}
	})
}

// rewrite puts others in the place of the nodes of a template, also of those within conditions and loops.
func rewrite(list *parse.ListNode, instead func(parse.Node) []parse.Node) {
	if list == nil {
		return
	}
	var nodes []parse.Node
	for _, n := range list.Nodes {
		for _, part := range parts(n) {
			rewrite(part, instead)
		}
		nodes = joined(nodes, instead(n)...)
	}
	list.Nodes = nodes
}

// parts are the lists within a condition or a loop.
func parts(n parse.Node) []*parse.ListNode {
	switch n := n.(type) {
	case *parse.IfNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.WithNode:
		return []*parse.ListNode{n.List, n.ElseList}
	case *parse.RangeNode:
		return []*parse.ListNode{n.List, n.ElseList}
	}
	return nil
}

// joined adds nodes to others. Text behind text becomes one: each node is a step, and a message makes several of one.
func joined(nodes []parse.Node, more ...parse.Node) []parse.Node {
	for _, n := range more {
		text, isText := n.(*parse.TextNode)
		if last := len(nodes) - 1; isText && last >= 0 {
			if before, ok := nodes[last].(*parse.TextNode); ok {
				nodes[last] = &parse.TextNode{NodeType: parse.NodeText, Pos: before.Pos, Text: slices.Concat(before.Text, text.Text)}
				continue
			}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// put returns what a call of say says, where it can be put in the call's place.
func (l *Language) put(call *parse.ActionNode, page bool) (nodes []parse.Node, ok bool) {
	if head, above := l.head(call.Pipe); above {
		return []parse.Node{head}, true
	}
	key, aboutDot, ok := said(call.Pipe)
	if !ok {
		return nil, false
	}
	words, ok := l.words[key]
	if _, fixed := l.fixed[key]; !ok || !aboutDot && !fixed {
		return nil, false
	}
	words = words.CopyList()
	if page {
		escape(words)
	}
	return words.Nodes, true
}

// head returns what stands above a section of a text, which says the same about everything: {{upper (say "head.facts")}}.
func (l *Language) head(pipe *parse.PipeNode) (head *parse.TextNode, ok bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return nil, false
	}
	name, isName := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	argument, isCall := pipe.Cmds[0].Args[1].(*parse.PipeNode)
	if !isName || !isCall || name.Ident != "upper" {
		return nil, false
	}
	key, _, ok := said(argument)
	words, fixed := l.fixed[key]
	if !ok || !fixed {
		return nil, false
	}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: pipe.Pos, Text: []byte(strings.ToUpper(words))}, true
}

// spellArgument does the same where another template is called with a message that says the same about everything:
// {{template "h2" (say "head.todo")}}.
func (l *Language) spellArgument(pipe *parse.PipeNode) {
	if pipe == nil || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return
	}
	argument, ok := pipe.Cmds[0].Args[0].(*parse.PipeNode)
	if !ok {
		return
	}
	key, _, ok := said(argument)
	if words, fixed := l.fixed[key]; ok && fixed {
		pipe.Cmds[0].Args[0] = &parse.StringNode{NodeType: parse.NodeString, Pos: argument.Pos, Quoted: strconv.Quote(words), Text: words}
	}
}

// said returns the message of a call that says it about the dot of its template, or about nothing.
func said(pipe *parse.PipeNode) (key string, aboutDot, ok bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 {
		return "", false, false
	}
	args := pipe.Cmds[0].Args
	if name, is := args[0].(*parse.IdentifierNode); !is || name.Ident != "say" || len(args) < 2 || len(args) > 3 {
		return "", false, false
	}
	aboutDot = len(args) == 3
	if aboutDot && args[2].Type() != parse.NodeDot {
		return "", false, false
	}
	word, ok := args[1].(*parse.StringNode)
	if !ok {
		return "", false, false
	}
	return word.Text, aboutDot, true
}

// message parses a message that may be put in the place of its calls: one that speaks of the data alone, whose dot is the same there.
func message(name, content string) (*parse.ListNode, bool) {
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(content, "", "", map[string]*parse.Tree{}); err != nil || strings.Contains(content, "$") || !plain(tree.Root) {
		return nil, false
	}
	return tree.Root, true
}

// plain says whether nodes are text, values and conditions alone.
func plain(list *parse.ListNode) bool {
	if list == nil {
		return true
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode, *parse.ActionNode:
		case *parse.IfNode:
			if !plain(n.List) || !plain(n.ElseList) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// escape makes the text of a message one of a page.
func escape(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			n.Text = []byte(text.HTMLEscapeString(string(n.Text)))
		case *parse.IfNode:
			escape(n.List)
			escape(n.ElseList)
		}
	}
}
