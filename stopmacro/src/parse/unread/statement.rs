//! A statement that is being read: whether it passes, and where it ends.

use proc_macro2::{Delimiter, TokenTree};

use super::text;
use crate::table::hints::STATEMENTS;

/// Words that may have a block behind them.
const BLOCKS: [&str; 6] = ["for", "if", "loop", "match", "unsafe", "while"];

/// What the tokens of a group are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    /// In parentheses or brackets, where there may be blocks.
    Inside,
    /// Of a macro, an attribute or an item.
    Untouched,
}

/// The tokens of a statement so far.
pub(super) struct Statement {
    pub(super) trees: Vec<TokenTree>,
    /// Groups in which there may be blocks, by their place.
    pub(super) groups: Vec<(usize, Kind)>,
    /// Nothing in it is asked about.
    passes: bool,
    /// A word for code of its own has come.
    own: bool,
    /// What stands here begins a statement, or is the path that does.
    begins: bool,
    last: Last,
    head: Head,
}

/// What came last in a statement.
enum Last {
    Nothing,
    Word(String),
    /// `#`, `#!`
    Hash,
    /// `println!`
    Macro(String),
    Punct(char),
    Group,
}

/// Where a statement is that begins with a word that has a block behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    /// It ends in a `;`, or it is not known where.
    No,
    Nothing,
    /// Between the word and the block.
    Open,
    /// In a pattern there, where braces are no block.
    Pattern,
    /// Behind a block.
    Ended,
    /// Behind `else`.
    Else,
}

impl Statement {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            trees: Vec::new(),
            groups: Vec::new(),
            passes: true,
            own: false,
            begins: kind == Kind::Block,
            last: Last::Nothing,
            head: Head::Nothing,
        }
    }

    pub(super) fn passes(&self) -> bool {
        self.passes
    }

    /// Whether it has ended before this token, without a `;`.
    pub(super) fn ended_before(&self, next: &TokenTree) -> bool {
        let goes_on = match next {
            TokenTree::Ident(word) => word == "else",
            TokenTree::Punct(punct) => matches!(punct.as_char(), '.' | '?' | ';'),
            _ => false,
        };
        self.head == Head::Ended && !goes_on
    }

    /// Adds a token.
    pub(super) fn token(&mut self, tree: TokenTree, kind: Kind) {
        match &tree {
            TokenTree::Ident(name) => self.word(name.to_string()),
            TokenTree::Punct(punct) => self.punct(punct.as_char()),
            TokenTree::Literal(_) => {
                self.begins = false;
                self.head = self.head.other();
                self.last = Last::Group;
            }
            TokenTree::Group(group) => {
                let inner = self.group(group.delimiter(), kind);
                let text = group.stream().to_string();
                self.passes &= text::all_passes(&text);
                let may_hold_block = inner == Kind::Block || text.contains('{');
                if inner != Kind::Untouched && may_hold_block {
                    self.groups.push((self.trees.len(), inner));
                }
            }
        }
        self.trees.push(tree);
    }

    fn word(&mut self, word: String) {
        self.own |= text::is_own(&word);
        self.passes &= !self.own && text::passes(&word);
        self.begins &= !matches!(self.last, Last::Word(_));
        self.head = self.head.word(&word);
        self.last = Last::Word(word);
    }

    fn punct(&mut self, punct: char) {
        self.passes &= punct != '#' && punct != '?';
        self.begins &= punct == ':' || punct == '!';
        let is_range = matches!(self.last, Last::Punct('.'));
        self.head = match (self.head, punct) {
            (Head::Pattern, '=') if !is_range => Head::Open,
            (head, _) => head.other(),
        };
        self.last = match (punct, std::mem::replace(&mut self.last, Last::Nothing)) {
            ('#', _) | ('!', Last::Hash) => Last::Hash,
            ('!', Last::Word(name)) => Last::Macro(name),
            _ => Last::Punct(punct),
        };
    }

    fn group(&mut self, delimiter: Delimiter, kind: Kind) -> Kind {
        let last = std::mem::replace(&mut self.last, Last::Group);
        self.head = self.head.group(delimiter, &last);
        if let Last::Macro(name) = &last {
            self.passes &= !self.begins || STATEMENTS.contains(&name.as_str());
        }
        self.begins = delimiter == Delimiter::Brace && kind == Kind::Block;
        let is_touched =
            kind != Kind::Untouched && !self.own && !matches!(last, Last::Hash | Last::Macro(_));
        match delimiter {
            Delimiter::Brace if is_touched => Kind::Block,
            Delimiter::Parenthesis | Delimiter::Bracket if is_touched => Kind::Inside,
            _ => Kind::Untouched,
        }
    }
}

impl Head {
    /// Behind this word.
    fn word(self, word: &str) -> Head {
        match (self, word) {
            (Head::Nothing, "for") | (Head::Open, "let") => Head::Pattern,
            // The `in` of a `for`; a `let` has none.
            (Head::Nothing | Head::Else, "if") | (Head::Pattern, "in") => Head::Open,
            (Head::Nothing, word) if BLOCKS.contains(&word) => Head::Open,
            (Head::Ended, "else") => Head::Else,
            (Head::Pattern, _) => Head::Pattern,
            (Head::Open, word) if !BLOCKS.contains(&word) => Head::Open,
            _ => Head::No,
        }
    }

    /// Behind a literal, or a sign that says nothing here.
    fn other(self) -> Head {
        match self {
            Head::Open | Head::Pattern => self,
            _ => Head::No,
        }
    }

    /// Behind a group, with `last` before it.
    fn group(self, delimiter: Delimiter, last: &Last) -> Head {
        match (self, delimiter) {
            (Head::Nothing | Head::Else, Delimiter::Brace) => Head::Ended,
            (Head::Open, Delimiter::Brace) => match last {
                Last::Group => Head::Ended,
                Last::Word(word) if !is_operator(word) => Head::Ended,
                _ => Head::No,
            },
            (head, _) => head.other(),
        }
    }
}

/// Whether braces behind this word are an operand.
fn is_operator(word: &str) -> bool {
    matches!(word, "if" | "match" | "while" | "in" | "move" | "let" | "else")
}
