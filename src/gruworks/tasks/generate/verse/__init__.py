"""Chinese regulated verse, 絕句 and 律詩: the rules as a mask on what is written, and a judge of poems."""
