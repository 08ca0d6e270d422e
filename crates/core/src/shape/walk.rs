//! The walk over a type's places: a serde deserializer that notes what is asked for and hands out default values.

use super::Sample;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use std::fmt;

/// A type as it was traced.
pub(super) struct Traced<T> {
    /// The first value that default values made.
    pub(super) value: Option<T>,
    pub(super) shape: String,
    /// How many places refused what they were given.
    pub(super) refusals: usize,
}

/// Traces a type.
pub(super) fn trace<T: DeserializeOwned>(sample: Sample) -> Traced<T> {
    let mut walk = Walk::new(sample);
    let value = walk.run();
    let refusals = walk.nodes.iter().filter(|node| node.refused).count();
    Traced { value, shape: walk.render(ROOT), refusals }
}

/// Bounds a trace whose types keep asking for something new.
const PASSES_MAX: usize = 10_000;
/// Bounds the nesting of types that have no name to be recognised by.
const DEPTH_MAX: usize = 100;
const ROOT: usize = 0;

/// What was asked for at one place of a value.
#[derive(Debug)]
struct Node {
    form: Form,
    children: Vec<usize>,
    /// Was handed out whole in one pass at least.
    whole: bool,
    /// An option or list to leave empty, or a variant not to choose: its content failed.
    avoid: bool,
    /// The type did not take the default value.
    refused: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Untraced,
    Scalar(&'static str),
    Option,
    List,
    Map,
    Tuple,
    Struct(&'static [&'static str]),
    Enum(&'static [&'static str]),
    Recursive(&'static str),
}

/// The tree of a type's places, walked in passes: each hands out one whole value, choosing variants not yet seen.
#[derive(Debug)]
struct Walk {
    nodes: Vec<Node>,
    sample: Sample,
    /// The named types that this pass is within, by name and by the place of their names of fields or variants.
    within: Vec<(&'static str, usize)>,
    /// Whether the failure of this pass has its mark.
    marked: bool,
    /// Whether a choice that led to the failure will be avoided from now on.
    avoided: bool,
}

impl Walk {
    fn new(sample: Sample) -> Self {
        let mut walk = Self { nodes: Vec::new(), sample, within: Vec::new(), marked: false, avoided: false };
        walk.add();
        walk
    }
    fn run<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut first = None;
        for _ in 0..PASSES_MAX {
            self.within.clear();
            (self.marked, self.avoided) = (false, false);
            let value = T::deserialize(At { walk: self, node: ROOT });
            match self.mark(ROOT, value) {
                Ok(value) => first = first.or(Some(value)),
                Err(Stop) if !self.avoided => break,
                Err(Stop) => {}
            }
            if self.is_complete(ROOT) {
                break;
            }
        }
        first
    }
    fn add(&mut self) -> usize {
        let node = Node { form: Form::Untraced, children: Vec::new(), whole: false, avoid: false, refused: false };
        self.nodes.push(node);
        self.nodes.len() - 1
    }
    fn child(&mut self, node: usize, index: usize) -> usize {
        while self.nodes[node].children.len() <= index {
            let child = self.add();
            self.nodes[node].children.push(child);
        }
        self.nodes[node].children[index]
    }
    fn is_complete(&self, node: usize) -> bool {
        let Node { form, children, whole, avoid, refused } = &self.nodes[node];
        let content = || children.iter().all(|child| self.is_complete(*child));
        *avoid
            || *refused
            || match form {
                Form::Untraced => false,
                Form::Scalar(_) | Form::Recursive(_) => true,
                Form::Enum(_) => content(),
                Form::Option | Form::List | Form::Map | Form::Tuple | Form::Struct(_) => *whole && content(),
            }
    }
    /// Marks the place of a failure that has no mark yet: there the type refused what it was given.
    fn mark<T>(&mut self, node: usize, result: Result<T, Stop>) -> Result<T, Stop> {
        if result.is_err() && !self.marked {
            self.nodes[node].refused = true;
            self.marked = true;
        }
        result
    }
    /// After a failure within an optional content or a variant: the next pass avoids it.
    fn choose<T>(&mut self, node: usize, result: Result<T, Stop>) -> Result<T, Stop> {
        let node = &mut self.nodes[node];
        if result.is_err() && !node.avoid && !self.avoided {
            node.avoid = true;
            self.avoided = true;
        }
        result
    }
    fn done<T>(&mut self, node: usize, result: Result<T, Stop>) -> Result<T, Stop> {
        self.nodes[node].whole |= result.is_ok();
        result
    }
    /// Steps into a named type, unless this pass is within it already.
    fn enter(&mut self, node: usize, name: &'static str, names: usize) -> Result<(), Stop> {
        if self.within.len() >= DEPTH_MAX || self.within.contains(&(name, names)) {
            self.nodes[node].form = Form::Recursive(name);
            self.marked = true;
            return Err(Stop);
        }
        self.within.push((name, names));
        Ok(())
    }
    fn variant_to_choose(&mut self, node: usize, count: usize) -> Result<usize, Stop> {
        let last = count.checked_sub(1).ok_or(Stop)?;
        self.child(node, last);
        let children = &self.nodes[node].children;
        let unseen = children.iter().position(|child| !self.is_complete(*child));
        let possible = || children.iter().position(|child| !self.nodes[*child].avoid);
        Ok(unseen.or_else(possible).unwrap_or(0))
    }

    fn render(&self, node: usize) -> String {
        let Node { form, children, refused, whole, .. } = &self.nodes[node];
        let child = |index: usize| children.get(index).map_or_else(|| "?".to_owned(), |child| self.render(*child));
        let mut text = match form {
            Form::Untraced => "?".to_owned(),
            Form::Scalar(name) => (*name).to_owned(),
            Form::Option => format!("option<{}>", child(0)),
            Form::List => format!("list<{}>", child(0)),
            Form::Map => format!("map<{}, {}>", child(0), child(1)),
            Form::Tuple => {
                let mut items: Vec<String> = (0..children.len()).map(child).collect();
                match items.as_slice() {
                    [first, _, _, _, ..] if *whole && items.iter().all(|item| item == first) => {
                        format!("[{first}; {}]", items.len())
                    }
                    _ => {
                        items.extend((!*whole).then(|| "?".to_owned()));
                        format!("({})", items.join(", "))
                    }
                }
            }
            Form::Struct(fields) => {
                let fields = fields.iter().enumerate().map(|(index, name)| format!("{name}: {}", child(index)));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            Form::Enum(variants) => {
                let variants = variants.iter().enumerate().map(|(index, name)| match children.get(index) {
                    Some(content) => self.render_variant(name, *content),
                    None => (*name).to_owned(),
                });
                format!("enum({})", variants.collect::<Vec<_>>().join(" | "))
            }
            Form::Recursive(name) => format!("^{name}"),
        };
        if *refused {
            text.push_str("<refused>");
        }
        text
    }
    fn render_variant(&self, name: &str, content: usize) -> String {
        let text = self.render(content);
        match self.nodes[content].form {
            Form::Scalar(UNIT) => text.replacen(UNIT, name, 1),
            Form::Struct(_) => format!("{name} {text}"),
            Form::Tuple if text.starts_with('(') => format!("{name}{text}"),
            _ => format!("{name}({text})"),
        }
    }
}

const UNIT: &str = "()";

/// A failed pass; the places that matter are marked in the tree.
#[derive(Debug)]
struct Stop;
impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a default value was refused")
    }
}
impl std::error::Error for Stop {}
impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// One place of the value, as serde sees it.
struct At<'w> {
    walk: &'w mut Walk,
    node: usize,
}

impl<'w> At<'w> {
    /// Notes a scalar, and gives the default values.
    fn scalar(self, name: &'static str) -> Sample {
        self.walk.nodes[self.node].form = Form::Scalar(name);
        self.walk.sample
    }
    /// Notes a tuple or struct, and hands out its items.
    fn items<'de, V: Visitor<'de>>(self, form: Form, count: usize, visitor: V) -> Result<V::Value, Stop> {
        let Self { walk, node } = self;
        walk.nodes[node].form = form;
        let value = visitor.visit_seq(Items { walk: &mut *walk, node, next: 0, end: count });
        walk.done(node, value)
    }
    /// Notes what may be empty, and says whether it has to be.
    fn is_empty(&mut self, form: Form) -> bool {
        let node = &mut self.walk.nodes[self.node];
        node.form = form;
        node.avoid
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident $name:literal $value:expr;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            let value: fn(Sample) -> _ = $value;
            visitor.$visit(value(self.scalar($name)))
        }
    )+};
}

impl<'de> de::Deserializer<'de> for At<'_> {
    type Error = Stop;

    scalars! {
        deserialize_bool visit_bool "bool" |s| s.number != 0;
        deserialize_i8 visit_i8 "i8" |s| i8::from(s.number != 0);
        deserialize_i16 visit_i16 "i16" |s| s.number.into();
        deserialize_i32 visit_i32 "i32" |s| s.number.into();
        deserialize_i64 visit_i64 "i64" |s| s.number.into();
        deserialize_i128 visit_i128 "i128" |s| s.number.into();
        deserialize_u8 visit_u8 "u8" |s| s.number;
        deserialize_u16 visit_u16 "u16" |s| s.number.into();
        deserialize_u32 visit_u32 "u32" |s| s.number.into();
        deserialize_u64 visit_u64 "u64" |s| s.number.into();
        deserialize_u128 visit_u128 "u128" |s| s.number.into();
        deserialize_f32 visit_f32 "f32" |s| s.number.into();
        deserialize_f64 visit_f64 "f64" |s| s.number.into();
        deserialize_char visit_char "char" |s| s.text.chars().next().unwrap_or(' ');
        deserialize_str visit_str "string" |s| s.text;
        deserialize_string visit_str "string" |s| s.text;
        deserialize_bytes visit_bytes "bytes" |s| s.text.as_bytes();
        deserialize_byte_buf visit_bytes "bytes" |s| s.text.as_bytes();
    }

    fn is_human_readable(&self) -> bool {
        false
    }
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        // The encoding does not say what follows: see `codec`.
        self.scalar("any");
        Err(Stop)
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.scalar(UNIT);
        visitor.visit_unit()
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_unit(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        let Self { walk, node } = self;
        walk.enter(node, name, 0)?;
        let value = visitor.visit_newtype_struct(At { walk: &mut *walk, node });
        walk.within.pop();
        value
    }
    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        if self.is_empty(Form::Option) {
            return visitor.visit_none();
        }
        let Self { walk, node } = self;
        let content = walk.child(node, 0);
        let value = visitor.visit_some(At { walk: &mut *walk, node: content });
        let value = walk.mark(content, value);
        let value = walk.done(node, value);
        walk.choose(node, value)
    }
    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let count = usize::from(!self.is_empty(Form::List));
        let Self { walk, node } = self;
        let value = At { walk: &mut *walk, node }.items(Form::List, count, visitor);
        walk.choose(node, value)
    }
    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let end = if self.is_empty(Form::Map) { 0 } else { 2 };
        let Self { walk, node } = self;
        let value = visitor.visit_map(Items { walk: &mut *walk, node, next: 0, end });
        let value = walk.done(node, value);
        walk.choose(node, value)
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.items(Form::Tuple, len, visitor)
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let Self { walk, node } = self;
        walk.enter(node, name, len)?;
        let value = At { walk: &mut *walk, node }.items(Form::Tuple, len, visitor);
        walk.within.pop();
        value
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Self { walk, node } = self;
        walk.enter(node, name, fields.as_ptr().addr())?;
        let value = At { walk: &mut *walk, node }.items(Form::Struct(fields), fields.len(), visitor);
        walk.within.pop();
        value
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let Self { walk, node } = self;
        walk.enter(node, name, variants.as_ptr().addr())?;
        walk.nodes[node].form = Form::Enum(variants);
        let index = walk.variant_to_choose(node, variants.len())?;
        let content = walk.child(node, index);
        let value = visitor.visit_enum(Variant { walk: &mut *walk, index, node: content });
        walk.within.pop();
        let value = walk.mark(content, value);
        walk.choose(content, value)
    }
}

/// The items of a tuple, struct or list, or the one entry of a map.
struct Items<'w> {
    walk: &'w mut Walk,
    node: usize,
    next: usize,
    end: usize,
}
impl Items<'_> {
    fn item<'de, T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        if self.next == self.end {
            return Ok(None);
        }
        let child = self.walk.child(self.node, self.next);
        self.next += 1;
        let value = seed.deserialize(At { walk: &mut *self.walk, node: child });
        self.walk.mark(child, value).map(Some)
    }
}
impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Stop;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        self.item(seed)
    }
    fn size_hint(&self) -> Option<usize> {
        Some(self.end - self.next)
    }
}
impl<'de> de::MapAccess<'de> for Items<'_> {
    type Error = Stop;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Stop> {
        self.item(seed)
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        self.item(seed)?.ok_or(Stop)
    }
}

/// The variant that this pass has chosen, and the node of its content.
struct Variant<'w> {
    walk: &'w mut Walk,
    index: usize,
    node: usize,
}
impl<'de, 'w> de::EnumAccess<'de> for Variant<'w> {
    type Error = Stop;
    type Variant = At<'w>;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, At<'w>), Stop> {
        let index = u32::try_from(self.index).map_err(|_| Stop)?;
        let chosen = seed.deserialize(IntoDeserializer::<Stop>::into_deserializer(index))?;
        Ok((chosen, At { walk: self.walk, node: self.node }))
    }
}
impl<'de> de::VariantAccess<'de> for At<'_> {
    type Error = Stop;
    fn unit_variant(self) -> Result<(), Stop> {
        self.scalar(UNIT);
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        let Self { walk, node } = self;
        walk.nodes[node].form = Form::Tuple;
        let content = walk.child(node, 0);
        let value = seed.deserialize(At { walk: &mut *walk, node: content });
        let value = walk.mark(content, value);
        walk.done(node, value)
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.items(Form::Tuple, len, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Stop> {
        self.items(Form::Struct(fields), fields.len(), visitor)
    }
}
