/** What a rule says of a text or a definition: a sentence's end, "… tells the model to …". */
export interface Finding {
  text: string;
}
