# Nothing but white space behind a comment.
   
	

