import type { Finding } from './finding.ts';
import { excerpt } from './show-text.ts';

/** Nobody documents a tool at this length; what comes later is not looked at. */
const MAX_LENGTH = 10_000;

const TRANSFER = 'pass|send|include|attach|upload|provide|put|append|forward|paste|copy';
const PRIVATE_FILE =
  '(?:~\\/\\.[a-z]|\\.ssh\\/|id_rsa|id_ed25519|\\.aws\\/|\\/etc\\/(?:passwd|shadow)|mcp\\.json|\\.netrc|\\.npmrc|\\.git-credentials|claude_desktop_config|\\.env\\b)';

/**
 * Each says something to the model that is no description of a tool. They look for orders, not for words:
 * "ignores previous results" describes, "ignore previous instructions" orders. Every repetition is bounded.
 */
const ORDERS: readonly { what: string; pattern: RegExp }[] = [
  {
    what: 'tells the model to ignore its instructions',
    pattern:
      /\b(?:ignore|disregard|forget|override|bypass)\s+(?:(?:all|any|every|the|your|my|of|these|those|other)\s+){0,4}(?:previous|prior|earlier|above|preceding|existing|system|other|safety|your|user(?:['’]s)?)\s+(?:\w+\s+){0,2}(?:instructions?|prompts?|directives?|guidelines?|constraints)\b/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\b(?:do not|don['’]t|never|must not|should not|avoid)\s+(?:ever\s+)?(?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|reveal(?:ing)?|notify(?:ing)?|disclos(?:e|ing)|alert(?:ing)?|warn(?:ing)?)\s(?:[^.!?\n]{0,60}\s)?(?:the|to|your)\s+(?:users?|humans?|person|operator)\b/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\b(?:do not|don['’]t|never)\s+let\s+the\s+(?:user|human|person|operator)\s+(?:know|see|notice|find out)\b/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\b(?:keep|hide|conceal)\s+(?:this|it|that|these|them)\s+(?:(?:all|hidden|secret|private|confidential|step|fact|call)\s+){0,2}from\s+the\s+(?:user|human|person|operator)\b(?!['’]|\s+(?:interface|list|menu))/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\bwithout\s+(?:(?:ever\s+)?(?:telling|informing)\s+the\s+(?:user|human|person|operator)|the\s+user['’]s\s+knowledge)\b/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\bthe\s+(?:user|human|person|operator)\s+(?:must|should|need|does|can)\s?(?:not|n['’]t)\s+(?:know|learn|find\s+out|be\s+(?:told|informed|aware))\b/,
  },
  {
    what: 'tells the model to hide something from the user',
    pattern:
      /\b(?:do not|don['’]t|never)\s+(?:show|display)\s+(?:this|it|that)\s+(?:\w+\s+){0,2}to\s+the\s+(?:user|human|person|operator)\b(?!\s+interface)/,
  },
  {
    what: 'tells the model to hide something',
    pattern: /\b(?:do not|don['’]t|never)\s+tell\s+(?:anyone|anybody)\b/,
  },
  {
    what: 'tells the model to act in secret',
    pattern:
      /\b(?:silently\s+(?:call|invoke)|secretly\s+(?:call|invoke|run|execute|forward|send|upload|copy|read))\b/,
  },
  {
    what: 'puts itself before other tools',
    pattern:
      /\b(?:before|prior to|instead of)\s+(?:(?:using|calling|invoking|running|you (?:use|call|invoke|run))\s+)?(?:any|all|every)\s+(?:of\s+the\s+)?(?:other\s+)?(?:\w+\s+)?tools?\b/,
  },
  {
    what: 'puts itself before other tools',
    pattern:
      /\b(?:always|must)\s+(?:\w+\s+)?(?:call|use|invoke|run)\s+this\s+(?:tool|function)\b[^.!?\n]{0,60}\b(?:before|after|for|on)\s+(?:every|each|any|all)\s+(?:\w+\s+)?(?:messages?|responses?|tools?|requests?|repl(?:y|ies)|answers?|prompts?|calls?)\b/,
  },
  {
    what: 'puts itself before other tools',
    pattern:
      /\b(?:before|after|for|on)\s+(?:every|each|any)\s+(?:\w+\s+)?(?:messages?|responses?|requests?|repl(?:y|ies)|answers?|prompts?|questions?|turns?)\s*,?\s+(?:\w+\s+){0,2}(?:call|use|invoke|run)\s+this\b/,
  },
  {
    what: 'puts itself before other tools',
    pattern:
      /\b(?:always|must)\s+(?:\w+\s+)?(?:call|use|invoke|run)\s+this\s+(?:tool|function)\s+(?:first\s+)?before\s+(?:answering|responding|replying)\b/,
  },
  {
    what: 'puts itself before other tools',
    pattern:
      /\b(?:prefer\s+this\s+(?:tool|function)\s+(?:over|to)\s+(?:any|all|every)|(?:do not|don['’]t|never)\s+(?:use|call)\s+any\s+other\s+(?:tools?|functions?))\b/,
  },
  {
    what: 'tells the model to act against the user',
    pattern:
      /\b(?:regardless of what|no matter what|even (?:if|when|though))\s+the\s+user\s+(?:\w+\s+){0,2}(?:says?|said|asks?|asked|wants?|objects?|declines?|refuses?|requests?|instructs?|tells?)\b/,
  },
  {
    what: 'puts its text above other instructions',
    pattern:
      /\b(?:takes? precedence over|overrides?|supersedes?|ha(?:s|ve) priority over)\s+(?:(?:all|any|every|the|your|of|other|previous|prior)\s+){0,4}(?:system prompts?|(?:user(?:['’]s)?\s+)?(?:instructions|prompts))\b/,
  },
  {
    what: 'holds a block that is addressed to the model',
    pattern:
      /<\s*(?:important|secret|hidden|system[_ -]?(?:prompt|reminder|message|note|instructions?)|instructions?|critical)\s*>|<\s*system\s*>[\s\S]{0,500}?<\s*\/\s*system\s*>|\[\s*(?:system|inst)\s*\]|<\|im_start\|>/,
  },
  {
    what: 'gives the model another role',
    pattern:
      /\b(?:you are now (?:a|an|in|no longer)\b|from now on,? you (?:are|must|will|should|shall)\b|new (?:system )?instructions?\s*:)/,
  },
  {
    what: 'asks for private files',
    pattern: new RegExp(
      `\\b(?:read|open|load|cat|fetch|get|access)\\b[\\s\\S]{0,80}?${PRIVATE_FILE}[\\s\\S]{0,120}?\\b(?:and|then|to)\\s+(?:\\w+\\s+)?(?:${TRANSFER})\\b`,
    ),
  },
  {
    what: 'asks for private files',
    pattern: new RegExp(
      `\\b(?:${TRANSFER})\\s+(?:the\\s+|its\\s+|all\\s+)?(?:contents?|text)\\s+of\\s[\\s\\S]{0,60}?${PRIVATE_FILE}`,
    ),
  },
  {
    what: 'asks for the conversation',
    pattern: new RegExp(
      `\\b(?:${TRANSFER})\\s+(?:the\\s+|your\\s+|our\\s+|this\\s+|a\\s+|all\\s+|copy\\s+|of\\s+|me\\s+){0,4}(?:entire|full|whole|complete|previous|verbatim|current)?\\s*(?:conversation|chat|message|dialog(?:ue)?)\\s*(?:history|context|log|transcript|so far)?\\s+(?:as|in|into|to|with|via)\\s+(?:the\\s+|this\\s+|a\\s+|an\\s+|every\\s+)?["'\`]?\\w+["'\`]?\\s+(?:parameter|argument|field|tool|call)`,
    ),
  },
  {
    what: 'asks for the system prompt or for credentials',
    pattern: new RegExp(
      `\\b(?:${TRANSFER}|reveal|repeat|print|output|leak)\\s+(?:me\\s+)?(?:your\\s+(?:\\w+\\s+)?(?:system prompt|system message|instructions)|(?:the|any|all)\\s+(?:user['’]s|users['’])\\s+(?:\\w+\\s+)?(?:passwords?|credentials|api keys?|secrets?|tokens?|private keys?))\\b`,
    ),
  },
];

/** description_gives_orders: a text that speaks to the model instead of describing. */
export function findOrders(text: string): Finding | null {
  if (text.length < 12) return null;
  // What is written in other letters of the same look, or with hidden ones in between, reads the same.
  const plain = text
    .slice(0, MAX_LENGTH)
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Variation_Selector}]/gu, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
  for (const { what, pattern } of ORDERS) {
    const match = pattern.exec(plain);
    if (match) return { text: `${what}: “${excerpt(plain, match.index, match[0].length)}”` };
  }
  return null;
}
