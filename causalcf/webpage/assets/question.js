// Questions in plain sentences. Every word must be understood; what is not certain is refused, never guessed.
// python -m causalcf.ask reads many more forms.

class NotUnderstood extends Error {}

/** Parse "Given a woman, what if she had a moustache?" to { given, antecedent, mode }. */
function parseQuestion(text, language) {
  const words = text.toLowerCase().replace(/[‘’ʼ`´]/g, "'").replace(/[\s_\-"“”]+/g, " ").replace(/([,;:])/g, " , ")
    .replace(/n't\b/g, " not").replace(/\b(he|she|they|it|who|what)'(s|d|re|ve)\b/g, "$1")
    .replace(/[.?!]+\s*$/, "").trim().replace(/\s+/g, " ");
  const parts = /^(?:(?:given|for|take|consider|imagine|suppose) )?(.*?)(?: ?, ?| )?what (?:would happen )?if (.+)$/.exec(words);
  if (!parts) throw new NotUnderstood('Ask for example "Given a woman, what if she had a moustache?"');
  let [, before, clause] = parts;
  const saw = /^(?:we (?:saw|observed|noticed|learned|found)(?: out)?(?: that)?|it turned out(?: that)?) (.+)$/.exec(clause);
  if (saw) clause = saw[1];
  const pronoun = /^(he|she|they|it) (.+)$/.exec(clause);
  let subject = "", predicate = pronoun ? pronoun[2] : clause;
  if (!pronoun) {
    const tokens = clause.split(" "), verb = tokens.findIndex((word) => language.finite.includes(word));
    if (verb < 1) throw new NotUnderstood(`"${clause}" has no verb such as were, had or wore.`);
    subject = tokens.slice(0, verb).join(" ");
    if (/ (who|which|whose|that)\b/.test(subject)) throw new NotUnderstood("Begin with who it is: Given someone who ..., what if they ...");
    predicate = tokens.slice(verb).join(" ");
  }
  const given = conditions(before.replace(/ ?,$/, ""), language, false);
  for (const [label, value] of Object.entries(conditions(subject, language, false))) {
    if ((given[label] ?? value) !== value) throw new NotUnderstood(`${label} is said to be both 0 and 1.`);
    given[label] = value;
  }
  if (pronoun) agree(pronoun[1], given, before !== "", language);
  for (const word of `${before} ${clause}`.split(/ +/)) agree(word, given, true, language);
  const antecedent = conditions(predicate, language, true);
  if (!Object.keys(antecedent).length) throw new NotUnderstood('No change is named after "if".');
  return { given, antecedent, mode: saw ? "observe" : "do" };
}

/** A pronoun tells the sex where nobody is described, and must agree with it else. */
function agree(pronoun, given, described, { words, pronouns }) {
  if (!Object.hasOwn(pronouns, pronoun)) return;
  const sexed = words[pronouns[pronoun] ? "man" : "woman"];
  if (!sexed) throw new NotUnderstood(`"${pronoun}" refers to a label that this graph does not have; say "they".`);
  if (!described && !(sexed.label in given)) given[sexed.label] = sexed.value;
  if (given[sexed.label] !== sexed.value) throw new NotUnderstood(`"${pronoun}" does not refer to who is given.`);
}

/** The conditions of a noun phrase or predicate, by label. */
function conditions(text, { words, roles, having, gerunds }, predicate) {
  const tokens = text ? text.split(" ") : [], found = mapping();
  let not = false, denied = false, owns = false, led = predicate, beside = false; // right after a condition
  for (let i = 0; i < tokens.length;) {
    const phrase = longest(tokens, i, words), role = longest(tokens, i, roles);
    if (phrase && (!role || phrase.length >= role.length)) {
      const { label, value, kind } = words[phrase.said], thing = kind === "thing" || kind === "own";
      if ((owns && !thing) || (beside && thing)) {
        throw new NotUnderstood(`"${phrase.said}" describes a thing here. Say what the person is or has.`);
      }
      if (denied && !led) throw new NotUnderstood("What does the negation cover? Give each condition a verb.");
      const says = not ? 1 - value : value;
      if (label in found) throw new NotUnderstood(`${label} is said twice.`);
      found[label] = says;
      [denied, not, led, beside] = [not || phrase.said.startsWith("no "), false, false, !thing];
      i += phrase.length;
      continue;
    }
    if (!role) throw new NotUnderstood(`"${tokens[i]}" is not understood.`);
    const does = roles[role.said];
    beside = false;
    const bare = ["have", "wear"].includes(role.said) || (role.said === "did" && tokens[i + 1] !== "not");
    if (denied && !not && (bare || gerunds.includes(tokens[i]))) {
      throw new NotUnderstood(`Does the negation cover "${role.said}"? Ask two questions.`);
    }
    if (does === "or" || does === "comparison") throw new NotUnderstood(`"${role.said}" is not read here.`);
    if (does === "not") {
      if (not) throw new NotUnderstood("A double negation is not understood here.");
      [not, led] = [true, true];
      if (having.includes(role.said)) owns = true;
    } else if (does === "lead") {
      [owns, led] = [having.includes(role.said), true];
    } else if (does === "person") {
      if (not || owns) throw new NotUnderstood(`"${role.said}" may be somebody else here.`);
    } else if (does === "joint") {
      if (not) throw new NotUnderstood(`The negation before "${role.said}" has no condition.`);
      led = led && !denied;
    }
    i += role.length;
  }
  if (not) throw new NotUnderstood(`The negation in "${text}" has no condition.`);
  return found;
}

/** The longest phrase in `known` that begins at token i. */
function longest(tokens, i, known) {
  for (let length = Math.min(6, tokens.length - i); length > 0; length--) {
    const said = tokens.slice(i, i + length).join(" ");
    if (Object.prototype.hasOwnProperty.call(known, said)) return { said, length };
  }
  return null;
}
